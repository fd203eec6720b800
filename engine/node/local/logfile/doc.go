// Package logfile keeps an instance's output in a bounded number of bounded files.
package logfile
