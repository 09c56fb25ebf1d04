package slacktest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// seen is a line that the driver has written.
type seenLine map[string]any

func (l seenLine) str(name string) string { s, _ := l[name].(string); return s }

// driver is an app made of Slack's packages, running under node.
type driver struct {
	mu     sync.Mutex
	lines  []seenLine
	more   chan struct{}
	in     io.Writer
	stderr bytes.Buffer
	orders int
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// drive starts the app in a mode, "socket" or "http".
func drive(t *testing.T, s *Server, mode string) *driver {
	t.Helper()
	modules := need(t, "node_modules")
	script, err := official()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", filepath.Join(script, "driver.mjs"), mode, filepath.Dir(modules))
	cmd.Env = append(os.Environ(), "SLACK_API_URL="+s.APIURL(), "SLACK_BOT_TOKEN="+BotToken, "SLACK_APP_TOKEN="+AppToken, "SLACK_SIGNING_SECRET="+SigningSecret)
	d := &driver{more: make(chan struct{})}
	cmd.Stderr = &d.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.in = in
	if err := cmd.Start(); err != nil {
		t.Fatalf("node is needed to run Slack's clients: %v", err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			d.take(lines.Bytes())
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		cancel() // the sockets need no goodbye
		<-read
		_ = cmd.Wait() // killed
		for _, v := range s.SchemaViolations() {
			t.Errorf("Slack's own types do not allow what the app sent: %s", v)
		}
		if t.Failed() {
			t.Logf("standard error of node:\n%s", d.stderr.String())
		}
	})
	return d
}

func (d *driver) take(line []byte) {
	var l seenLine
	if json.Unmarshal(line, &l) != nil {
		l = seenLine{"what": "text", "text": string(line)}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, l)
	close(d.more)
	d.more = make(chan struct{})
}

// wait is the n-th line (from 1) that says what and that cond takes.
func (d *driver) wait(t *testing.T, what string, n int, cond func(seenLine) bool) seenLine {
	t.Helper()
	ctx := within(t)
	for {
		d.mu.Lock()
		more, all, found := d.more, d.lines, 0
		for _, l := range all {
			if l["what"] == what && (cond == nil || cond(l)) {
				if found++; found == n {
					d.mu.Unlock()
					return l
				}
			}
		}
		d.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			t.Fatalf("the app does not say %q; it said %v", what, all)
		}
	}
}

// order has the app do something and returns its "done" or "failed".
func (d *driver) order(t *testing.T, do, method string, args map[string]any) seenLine {
	t.Helper()
	d.mu.Lock()
	d.orders++
	id := float64(d.orders)
	d.mu.Unlock()
	if err := json.NewEncoder(d.in).Encode(map[string]any{"id": id, "do": do, "method": method, "args": args}); err != nil {
		t.Fatal(err)
	}
	ctx := within(t)
	for {
		d.mu.Lock()
		more, all := d.more, d.lines
		d.mu.Unlock()
		for _, l := range all {
			if l["id"] == id {
				return l
			}
		}
		select {
		case <-more:
		case <-ctx.Done():
			t.Fatalf("order %q is not done; the app said %v", method, all)
		}
	}
}

// call is an order that has to succeed; it returns the answer.
func (d *driver) call(t *testing.T, method string, args map[string]any) map[string]any {
	t.Helper()
	l := d.order(t, "call", method, args)
	answer, ok := l["answer"].(map[string]any)
	if !ok {
		t.Fatalf("%s: %v", method, l)
	}
	return answer
}

func field(v any, path ...any) any {
	if l, ok := v.(seenLine); ok {
		v = map[string]any(l)
	}
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}
