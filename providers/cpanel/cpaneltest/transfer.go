package cpaneltest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// transfer is a session of start_local_cpmove_restore.
type transfer struct {
	state string   // as the WHM document of get_transfer_session_state lists them
	log   []string // of the account's item
	end   string   // line of master.log about the item's end; "": it is under way
	item  string   // what its log is called
	stop  bool
}

// ended is the line of a session's master.log that says how its item went. A session is
// COMPLETED when it is over, also when its item has failed: only that line says so
// (the example of fetch_transfer_session_log in the WHM document).
func (tr *transfer) ended(user, failure string) string {
	action, msg := "success-item", map[string]any{"warnings": 1, "skipped_items": 2, "altered_items": 0, "dangerous_items": 0, "message": nil}
	if failure != "" {
		action, msg = "failed-item", map[string]any{"failure": failure, "size": 1}
	}
	line, _ := json.Marshal(map[string]any{"type": "control", "pid": 4073, "indent": 0, "partial": 0, "contents": map[string]any{ // strings and numbers
		"action": action, "queue": "RESTORE", "item": user, "item_name": "Account", "item_type": "AccountLocal", "logfile": tr.item, "child_number": 1, "msg": msg,
	}})
	return string(line) + "\n"
}

// startTransfer is start_local_cpmove_restore: a whole account out of an archive in
// /home or in the account's own home directory. It goes on in the background.
func startTransfer(q *request) (any, error) {
	from, err := q.need("cpmovepath")
	if err != nil {
		return nil, err
	}
	user, err := q.need("username")
	if err != nil {
		return nil, err
	}
	a := q.h.accounts[user]
	n := q.h.archives[from]
	for name, owner := range q.h.accounts {
		if n == nil && strings.HasPrefix(from, "/home/"+name+"/") {
			_, n = owner.find(from)
		}
	}
	switch {
	case n == nil || n.dir:
		return nil, refuse("The file “%s” does not exist.", from)
	case a != nil && q.params.Get("overwrite") != "1":
		return nil, refuse("The account “%s” already exists.", user)
	case a == nil:
		return nil, refuse("The fake host makes no accounts: “%s” is not there.", user)
	}
	q.h.seq++
	id := "restore" + q.h.Now().UTC().Format("20060102150405") + strconv.Itoa(q.h.seq)
	tr := &transfer{state: "RESTORE_INPROGRESS", log: []string{"Restoring " + from}, item: "item-RESTORE_AccountLocal_" + user}
	q.h.transfers[id] = tr
	a.restored = append(a.restored, Restored{Function: "start_local_cpmove_restore", File: path.Base(from), At: q.h.Now(), Log: "master.log"})
	at, fault := len(a.restored)-1, q.fault
	q.h.spawn(func() {
		err := q.h.transfer(a, n, tr, fault)
		q.h.mu.Lock()
		defer q.h.mu.Unlock()
		tr.state = "COMPLETED"
		if err != nil {
			a.restored[at].Failed = err.Error()
			tr.end, tr.log = tr.ended(user, err.Error()), append(tr.log, "Failed: "+err.Error())
			return
		}
		tr.end, tr.log = tr.ended(user, ""), append(tr.log, "Completed")
	})
	return map[string]any{"transfer_session_id": id}, nil
}

func (h *Host) transfer(a *Account, n *node, tr *transfer, fault Fault) error {
	done, err := h.pace()
	if err != nil {
		return err
	}
	h.mu.Lock()
	copied := *n
	h.mu.Unlock()
	parts, err := takeApart(&copied)
	done()
	if err != nil {
		return err
	}
	if fault.RestoreFails != "" {
		return errors.New(fault.RestoreFails)
	}
	if done, err = h.pace(); err != nil {
		return err
	}
	defer done()
	h.mu.Lock()
	defer h.mu.Unlock()
	if tr.stop {
		return errors.New("the session was aborted")
	}
	for name, n := range parts.home {
		a.put(name, n)
	}
	for name, text := range parts.dumps {
		a.databases[name] = &database{body: unframe(text)}
	}
	for domain, text := range parts.aliases {
		a.forwarders[domain] = aliases(text, a.user)
	}
	for domain, text := range parts.filters {
		a.filters[domain] = text
	}
	tr.log = append(tr.log, fmt.Sprintf("Restored %d files and %d databases", len(parts.home), len(parts.dumps)))
	return nil
}

// contents is what an archive of an account holds.
type contents struct {
	home                    map[string]*node
	dumps, aliases, filters map[string]string
}

// takeApart reads an archive of an account into memory.
func takeApart(n *node) (contents, error) {
	all := contents{home: map[string]*node{}, dumps: map[string]string{}, aliases: map[string]string{}, filters: map[string]string{}}
	r, err := n.open()
	if err != nil {
		return all, err
	}
	defer r.Close()
	zip, err := gzip.NewReader(r)
	if err != nil {
		return all, err
	}
	for in := tar.NewReader(zip); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		data, err := io.ReadAll(in)
		if err != nil {
			return all, err
		}
		_, name, _ := strings.Cut(path.Clean(head.Name), "/")
		switch dir, base := path.Split(name); {
		case name == "homedir.tar":
			err = inner(bytes.NewReader(data), all.home)
		case strings.HasPrefix(name, "homedir/"):
			all.home[strings.TrimPrefix(name, "homedir/")] = unpacked(head, data)
		case dir == "mysql/" && strings.HasSuffix(base, ".sql"):
			all.dumps[strings.TrimSuffix(base, ".sql")] = string(data)
		case dir == "va/" && base != "":
			all.aliases[base] = string(data)
		case dir == "vf/" && base != "":
			all.filters[base] = string(data)
		}
		if err != nil {
			return all, err
		}
	}
}

func inner(r io.Reader, home map[string]*node) error {
	for in := tar.NewReader(r); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		home[path.Clean(head.Name)] = unpacked(head, data)
	}
}

func unpacked(head *tar.Header, data []byte) *node {
	return &node{data: data, link: head.Linkname, dir: head.Typeflag == tar.TypeDir, mode: head.FileInfo().Mode().Perm(), mtime: head.ModTime}
}

func (q *request) session() (*transfer, error) {
	tr := q.h.transfers[q.params.Get("transfer_session_id")]
	if tr == nil {
		return nil, refuse("The session “%s” does not exist.", q.params.Get("transfer_session_id"))
	}
	return tr, nil
}

func transferState(q *request) (any, error) {
	tr, err := q.session()
	if err != nil {
		return nil, err
	}
	return map[string]any{"state_name": tr.state}, nil
}

func transferLog(q *request) (any, error) {
	tr, err := q.session()
	if err != nil {
		return nil, err
	}
	switch q.params.Get("logfile") {
	case "master.log":
		return map[string]any{"log": `{"contents":{"action":"start","child_number":0},"pid":4073,"type":"control","indent":0,"partial":0}` + "\n" + tr.end}, nil
	case tr.item:
		return map[string]any{"log": logLines(tr.log)}, nil
	}
	return nil, refuse("The log “%s” does not exist.", q.params.Get("logfile"))
}

func transferAbort(q *request) (any, error) {
	tr, err := q.session()
	if err != nil {
		return nil, err
	}
	tr.stop = true
	return map[string]any{}, nil
}
