package store

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// prepared makes connections that parse each query once: for the short ones of
// this package SQLite parses longer than it works. A query that reads rows must have
// been read to its end before the same one runs again on its connection; all sees to
// that.
type prepared struct{ driver.Connector }

// Connect implements driver.Connector.
func (p prepared) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c, ok := made.(sqliteConn)
	if !ok {
		return nil, fmt.Errorf("store: %T cannot prepare statements", made)
	}
	return &conn{sqliteConn: c, known: map[string]sqliteStmt{}}, nil
}

// sqliteConn and sqliteStmt are what SQLite's driver can do of what database/sql may ask.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// conn is a connection and its statements; database/sql uses it by one at a time.
type conn struct {
	sqliteConn
	known map[string]sqliteStmt
}

func (c *conn) statement(ctx context.Context, query string) (sqliteStmt, error) {
	if s, known := c.known[query]; known {
		return s, nil
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s, ok := made.(sqliteStmt)
	if !ok {
		return nil, fmt.Errorf("store: %T cannot be cancelled", made)
	}
	c.known[query] = s
	return s, nil
}

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args)
}

// Close implements driver.Conn.
func (c *conn) Close() error {
	for _, s := range c.known {
		_ = s.Close() // it goes with the connection
	}
	return c.sqliteConn.Close()
}
