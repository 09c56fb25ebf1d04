package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
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
// a folder of this user's own below the system's folder for temporary files,
// under a name made from it.
func socketPath(dataDir string) string {
	path := filepath.Join(dataDir, "bot.sock")
	if len(path) < 100 {
		return path
	}
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(os.TempDir(), fmt.Sprintf("keepwatch-%d", os.Getuid()), hex.EncodeToString(sum[:8])+".sock")
}

// socketFolder sees that nobody else can have put a socket where ours lies:
// anybody may make a folder of any name in the system's folder for temporary
// files, and answer there in the bot's place. In the data folder only whoever may
// write to the state could. With mayMake, the folder is made where there is none.
func socketFolder(dataDir string, mayMake bool) error {
	dir := filepath.Dir(socketPath(dataDir))
	if dir == filepath.Clean(dataDir) {
		return nil
	}
	if mayMake {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make the folder of the control socket: %w", err)
		}
	}
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nobody listens
	}
	if err != nil {
		return fmt.Errorf("look at the folder of the control socket: %w", err)
	}
	if !info.IsDir() || !ourOwn(info) {
		return keepwatch.Errorf(keepwatch.KindAttention, "%s is no folder of your own that is closed to others, so whoever answers there may not be Keepwatch. Remove it, or set TMPDIR to a folder of your own, and start Keepwatch again.", dir)
	}
	return nil
}

// ours reports whether the other end of the socket is this user, or root.
func ours(conn net.Conn) error {
	uid, known, err := peerUID(conn)
	if err != nil {
		return fmt.Errorf("find out who is at the other end of the control socket: %w", err)
	}
	if known && uid != os.Getuid() && uid != 0 {
		return keepwatch.Errorf(keepwatch.KindDenied, "The one that answers on Keepwatch's control socket runs as another user (%d), so it is not believed. Run this as the user that the bot runs as.", uid)
	}
	return nil
}

// ownListener takes only connections of this user, or root's.
type ownListener struct {
	net.Listener
	log *slog.Logger
}

// Accept waits for the next one.
func (l ownListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if err := ours(conn); err == nil {
			return conn, nil
		} else {
			l.log.Warn("somebody else was turned away at the control socket", "err", err)
			_ = conn.Close()
		}
	}
}

// reply is what the socket answers.
type reply struct {
	Size    int64          `json:"size,omitempty"`
	Kind    keepwatch.Kind `json:"kind"`
	Message string         `json:"message,omitempty"`
}

// listenControl opens the socket. The caller holds the state's lock, so a socket
// that is there already is a dead process's. more adds what else it answers.
func listenControl(dataDir string, state backer, log *slog.Logger, more ...func(*http.ServeMux)) (*control, error) {
	if err := socketFolder(dataDir, true); err != nil {
		return nil, err
	}
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
	ended := make(chan struct{})
	mux.HandleFunc("GET /stay", func(w http.ResponseWriter, r *http.Request) { // a terminal hears with its end that this process ends
		_ = http.NewResponseController(w).Flush()
		select {
		case <-ended:
		case <-r.Context().Done():
		}
	})
	for _, add := range more {
		add(mux)
	}
	c := &control{server: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, path: path, log: log}
	c.server.RegisterOnShutdown(sync.OnceFunc(func() { close(ended) }))
	go func() {
		if err := c.server.Serve(ownListener{l, log}); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the control socket stopped", "err", err)
		}
	}()
	return c, nil
}

// Close closes the socket. A terminal that does not read what it asked for is not
// waited for.
func (c *control) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := c.server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		c.log.Warn("a terminal did not read to the end what it had asked for")
		return c.server.Close()
	} else if err != nil {
		return err
	}
	return nil
}

// backUpState copies the state into file: through the running bot, or directly
// where none runs.
func backUpState(ctx context.Context, s settings, file string) (size int64, err error) {
	if err := socketFolder(s.DataDir, false); err != nil {
		return 0, err
	}
	size, err = askForBackup(ctx, socketPath(s.DataDir), file)
	var dial *net.OpError
	if err == nil {
		return size, copied(file, size)
	}
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

// copied looks whether the copy that the bot speaks of is there.
func copied(file string, size int64) error {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return keepwatch.Errorf(keepwatch.KindAttention, "The running bot says that it copied the state to %s, and that file cannot be found. Does the bot see the same folders as you do?", file).Because(err)
	case info.Size() != size:
		return keepwatch.Errorf(keepwatch.KindAttention, "The running bot says that it copied the state to %s, and that file has %s instead of %s. It is not the copy.", file, keepwatch.FormatBytes(info.Size()), keepwatch.FormatBytes(size))
	}
	return nil
}

// askForBackup asks the running bot. A *net.OpError means that none runs.
func askForBackup(ctx context.Context, socket, file string) (int64, error) {
	client := controlClient(socket)
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
