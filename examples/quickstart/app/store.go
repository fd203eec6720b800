package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// store is the key-value store, as its client sees it.
type store struct {
	url    string
	client *http.Client
}

func (s store) protocol(ctx context.Context) (string, error) {
	return s.do(ctx, http.MethodGet, "/protocol", "")
}

func (s store) count(ctx context.Context, name string) (string, error) {
	return s.do(ctx, http.MethodPost, "/count/"+name, "")
}

func (s store) add(ctx context.Context, name, entry string) error {
	_, err := s.do(ctx, http.MethodPost, "/list/"+name, entry)
	return err
}

func (s store) list(ctx context.Context, name string) ([]string, error) {
	lines, err := s.do(ctx, http.MethodGet, "/list/"+name, "")
	if err != nil || lines == "" {
		return nil, err
	}
	return strings.Split(lines, "\n"), nil
}

func (s store) do(ctx context.Context, method, path, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return "", fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, strings.TrimSpace(string(answer)))
	}
	return string(answer), nil
}
