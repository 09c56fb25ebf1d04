package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/bolt"
)

// backer copies the state while it is in use.
type backer interface {
	Backup(file string) (size int64, err error)
}

// control is the socket through which another process of the same user asks the
// running bot for what only it can do: the state's file is locked.
type control struct {
	server *http.Server
	path   string
	log    *slog.Logger
}

// socketPath gives where the socket lies: in the data folder, or, where that
// path is too long for a socket (108 bytes in Linux, unix(7); 104 elsewhere), in
// the system's folder for temporary files, under a name made from it.
func socketPath(dataDir string) string {
	path := filepath.Join(dataDir, "bot.sock")
	if len(path) < 100 {
		return path
	}
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(os.TempDir(), "keepwatch-"+hex.EncodeToString(sum[:8])+".sock")
}

// reply is what the socket answers.
type reply struct {
	Size    int64          `json:"size,omitempty"`
	Kind    keepwatch.Kind `json:"kind"`
	Message string         `json:"message,omitempty"`
}

// listenControl opens the socket. The caller holds the state's lock, so a socket
// that is there already is a dead process's.
func listenControl(dataDir string, state backer, log *slog.Logger) (*control, error) {
	path := socketPath(dataDir)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /state/backup", func(w http.ResponseWriter, r *http.Request) {
		file := r.URL.Query().Get("file")
		var out reply
		size, err := int64(0), error(keepwatch.Errorf(keepwatch.KindInvalid, "The path of the copy must be absolute."))
		if filepath.IsAbs(file) {
			size, err = state.Backup(file)
		}
		out.Size = size
		if err != nil {
			log.Warn("a copy of the state could not be made", "file", file, "err", err)
			out = reply{Kind: keepwatch.KindOf(err), Message: keepwatch.Sentence(err)}
			if out.Message == "" {
				out.Message = "The copy could not be made; the bot's log says why."
			}
			w.WriteHeader(http.StatusConflict)
		}
		_ = json.NewEncoder(w).Encode(out)
	})
	c := &control{server: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, path: path, log: log}
	go func() {
		if err := c.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the control socket stopped", "err", err)
		}
	}()
	return c, nil
}

// Close closes the socket.
func (c *control) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	return c.server.Shutdown(ctx)
}

// backUpState copies the state into file: through the running bot, or directly
// where none runs.
func backUpState(ctx context.Context, s settings, file string) (size int64, err error) {
	size, err = askForBackup(ctx, socketPath(s.DataDir), file)
	var dial *net.OpError
	if !errors.As(err, &dial) {
		return size, err
	}
	if _, err := os.Stat(s.statePath()); err != nil {
		return 0, keepwatch.Errorf(keepwatch.KindNotFound, "There is no state in %s yet.", s.DataDir).Because(err)
	}
	state, err := bolt.Open(bolt.Config{Path: s.statePath()})
	if err != nil {
		return 0, err
	}
	size, err = auditedBackup{state, audit{store.NewRecords(state, time.Now), time.Now}}.Backup(file)
	return size, errors.Join(err, state.Close())
}

// askForBackup asks the running bot. A *net.OpError means that none runs.
func askForBackup(ctx context.Context, socket, file string) (int64, error) {
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, "unix", socket)
	}}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://keepwatch/state/backup", nil)
	if err != nil {
		return 0, err
	}
	req.URL.RawQuery = url.Values{"file": {file}}.Encode()
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var out reply
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&out); err != nil {
		return 0, fmt.Errorf("read the running bot's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return 0, &keepwatch.Error{Kind: out.Kind, Message: out.Message}
	}
	return out.Size, nil
}
