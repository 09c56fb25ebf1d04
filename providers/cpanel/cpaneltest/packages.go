package cpaneltest

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// packing is a session of start_background_pkgacct.
type packing struct {
	run   *run
	state string
	log   []string
}

// startPackage is start_background_pkgacct: cpmove-USER.tar.gz in tarroot, /home without
// one.
func startPackage(q *request) (any, error) {
	a, err := q.account()
	if err != nil {
		return nil, err
	}
	root := q.params.Get("tarroot")
	if root == "" {
		root = "/home"
	}
	r := &run{a: a, aside: true, name: "cpmove-" + a.user + ".tar.gz", fault: q.fault, spec: ArchiveSpec{SkipHome: q.params.Get("skiphomedir") == "1", Top: "cpmove-" + a.user}}
	q.h.seq++
	id := a.user + q.h.Now().UTC().Format("20060102150405") + strconv.Itoa(q.h.seq)
	p := &packing{run: r, state: "RUNNING", log: []string{"pkgacct started."}}
	q.h.packages[id] = p
	r.place = func() (string, error) {
		r.node = &node{disk: q.h.onDisk(), mode: 0o600, mtime: q.h.Now()}
		full := path.Join(root, r.name)
		if name, ok := a.clean(full); ok {
			r.home = name
			a.put(name, r.node)
		} else {
			q.h.archives[full] = r.node
		}
		p.log = append(p.log, "pkgacct is compressing "+full)
		return r.node.disk, nil
	}
	r.finished = func(ok bool) {
		if p.state = "COMPLETED"; !ok {
			p.state = "FAILED"
		}
		p.log = append(p.log, "pkgacct "+strings.ToLower(p.state))
	}
	q.h.beginBackup(r)
	logs := "/var/cpanel/pkgacct_sessions/" + id
	return map[string]any{"session_id": id, "complete_master_log": logs + "/master.log", "complete_master_error_log": logs + "/master.error_log"}, nil
}

func packageState(q *request) (any, error) {
	p := q.h.packages[q.params.Get("session_id")]
	if p == nil {
		return nil, refuse("The session “%s” does not exist.", q.params.Get("session_id"))
	}
	return map[string]any{"state": p.state}, nil
}

func packageLog(q *request) (any, error) {
	p := q.h.packages[q.params.Get("session_id")]
	if p == nil {
		return nil, refuse("The session “%s” does not exist.", q.params.Get("session_id"))
	}
	return map[string]any{"log": logLines(p.log)}, nil
}

// logLines is the form of WHM's logs: an object of JSON a line.
func logLines(all []string) string {
	var b strings.Builder
	for _, text := range all {
		line, _ := json.Marshal(map[string]any{"contents": text + "\n", "partial": 0, "indent": 0, "type": "out", "pid": 4073}) // strings and numbers
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func archiveList(q *request) (any, error) {
	all := []any{}
	for _, full := range slices.Sorted(maps.Keys(q.h.archives)) {
		user := strings.TrimSuffix(strings.TrimPrefix(path.Base(full), "cpmove-"), ".tar.gz")
		all = append(all, map[string]any{"file": path.Base(full), "path": path.Dir(full), "user": user})
	}
	return map[string]any{"quickrestore_files": all}, nil
}

// AddArchive puts an archive into /home, where WHM looks for them. name is its base name.
func (h *Host) AddArchive(name string, content []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.archives["/home/"+name] = &node{data: content, mode: 0o600, mtime: h.Now()}
}
