package cpaneltest

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Receiver is a machine that a host sends full backups to.
type Receiver struct {
	// User and Password are whom it knows; "": anybody.
	User, Password string
	dir            string
}

// Receiver makes a machine known to the host, by the name that a push is sent to. What
// is pushed there appears, growing, in dir, and below it in the folder that the push
// names.
func (h *Host) Receiver(hostname, dir string) *Receiver {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := &Receiver{dir: dir}
	h.receivers[hostname] = r
	return r
}

// push is Backup::fullbackup_to_ftp, _scp_with_password and _scp_with_key. Whatever is
// wrong with the receiver, the answer is a pid; only the letter tells.
func push(secret string) func(q *request) (any, error) {
	return func(q *request) (any, error) {
		required := []string{"host", "username", "password"}
		if secret == "key_name" { // this one has no user in the documents
			required = []string{"host", "key_name", "key_passphrase"}
		}
		for _, name := range required {
			if _, err := q.need(name); err != nil {
				return nil, err
			}
		}
		r := q.backup()
		to, user := q.h.receivers[q.params.Get("host")], q.params.Get("username")
		r.place = func() (string, error) {
			if to == nil {
				return "", fmt.Errorf("connect to %s: the name is not known", q.params.Get("host"))
			}
			if to.User != "" && user != to.User || to.Password != "" && secret == "password" && q.params.Get(secret) != to.Password {
				return "", fmt.Errorf("log in to %s: the user or the password is wrong", q.params.Get("host"))
			}
			dir := filepath.Join(to.dir, filepath.FromSlash(path.Clean("/"+q.params.Get("directory"))))
			name := r.name
			if q.h.cfg.ShortPush && secret == "password" {
				name = strings.TrimSuffix(name, "_"+q.a.user+".tar.gz") + ".tar.gz"
			}
			return filepath.Join(dir, name), os.MkdirAll(dir, 0o755)
		}
		q.h.beginBackup(r)
		return q.pid(), nil
	}
}
