package cpanel

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// fakeFile is one in the home of a fake account.
type fakeFile struct {
	size  int64
	born  time.Time
	mtime time.Time
	state string // as BackupInfo says it; "": nothing
}

// fakeHost is a host that lives in a test's own time. It stands for the client, not for
// cPanel: what cPanel answers is in cpaneltest.
type fakeHost struct {
	t       *testing.T
	mu      sync.Mutex
	files   map[string]*fakeFile
	calls   []string
	major   string // "136", "110"
	info    bool   // it has BackupInfo
	pending bool   // it has Backups::listfullbackups, and says states there
	limit   int64
	used    int64
	dbs     []string
	feature map[string]int
	demo    int
	fail    map[string]error // by "Module::function"
	down    error            // every call fails with it
	begin   func()           // a full backup is asked for
	read    func(path string, known int64) (io.ReadCloser, error)
	answers map[string]any // other functions
	stuck   bool           // deletions are reported and not done
	percent float64
	started int64
	skew    time.Duration // of its clock
}

func newFake(t *testing.T) *fakeHost {
	return &fakeHost{t: t, files: map[string]*fakeFile{}, info: true, used: 3 << 20, dbs: []string{"ruthin_wp", "ruthin_shop"}, fail: map[string]error{}, answers: map[string]any{}, major: "136"}
}

// asHost is the fake in the place of a client.
type asHost struct{ *fakeHost }

func absent(module, function string) error {
	return &callError{Module: module, Function: function, Status: 200, Said: []string{"Failed to load module “" + module + "”"}}
}

func (f *fakeHost) count(call string) int {
	n := 0
	for _, c := range f.calls {
		if c == call {
			n++
		}
	}
	return n
}

// called counts a call and says whether it fails.
func (f *fakeHost) called(name string) error {
	f.calls = append(f.calls, name)
	if f.down != nil {
		return f.down
	}
	return f.fail[name]
}

func give(from, into any) error {
	if into == nil {
		return nil
	}
	b, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

type obj = map[string]any

func (f asHost) uapi(ctx context.Context, module, function string, params url.Values, into any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := module + "::" + function
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := f.called(name); err != nil {
		return err
	}
	if a, ok := f.answers[name]; ok {
		return give(a, into)
	}
	switch name {
	case "Variables::get_user_information":
		return give(obj{"home": "/home/ruthin", "user": "ruthin", "domain": "ruthin.example", "domains": []string{"ruthin.example", "shop.ruthin.example"}, "feature": f.feature, "demo_mode": f.demo}, into)
	case "Mysql::list_databases":
		var all []obj
		for _, d := range f.dbs {
			all = append(all, obj{"database": d, "disk_usage": "1048576"})
		}
		return give(all, into)
	case "Quota::get_local_quota_info":
		return give(obj{"byte_limit": f.limit, "bytes_used": fmt.Sprint(f.used)}, into)
	case "Fileman::list_files":
		all := []obj{{"file": "public_html", "type": "dir", "size": 4096}, {"file": "notes.tar.gz", "type": "file", "size": 3}}
		for n, x := range f.files {
			all = append(all, obj{"file": n, "type": "file", "size": fmt.Sprint(x.size), "mtime": x.mtime.Unix()})
		}
		return give(all, into)
	case "Fileman::get_file_information":
		n := strings.TrimPrefix(params.Get("path"), "/home/ruthin/")
		if x, ok := f.files[n]; ok {
			return give(obj{"file": n, "type": "file", "size": x.size, "mtime": x.mtime.Unix()}, into)
		}
		return give(obj{"exists": 0}, into)
	case "Fileman::delete_file":
		if f.major < "136" {
			return absent(module, function)
		}
		f.remove(params.Get("path"))
		return nil
	case "Backup::fullbackup_to_homedir", "Backup::fullbackup_to_ftp":
		if f.begin != nil {
			f.begin()
		}
		return give(obj{"pid": "2857"}, into)
	case "BackupInfo::list", "BackupInfo::progress":
		return f.backupInfo(function, into)
	}
	return absent(module, function)
}

func (f *fakeHost) remove(path string) {
	if !f.stuck {
		delete(f.files, strings.TrimPrefix(path, "/home/ruthin/"))
	}
}

func (f *fakeHost) backupInfo(function string, into any) error {
	if !f.info {
		return absent("BackupInfo", function)
	}
	all, state := []obj{}, "none"
	var current int64
	for n, x := range f.files {
		if x.state != "" {
			all = append(all, obj{"name": n, "status": x.state, "sizeBytes": x.size})
		}
		if x.state == "inprogress" {
			state, current = "inprogress", x.size
		}
	}
	if function == "list" {
		return give(all, into)
	}
	return give(obj{"state": state, "startedAtEpoch": f.started, "estimatedPercent": f.percent, "currentBytes": current}, into)
}

func (f asHost) api2(ctx context.Context, module, function string, params url.Values, into any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := module + "::" + function
	if err := f.called(name); err != nil {
		return err
	}
	switch {
	case name == "Fileman::fileop":
		f.remove(params.Get("sourcefiles"))
		return nil
	case name == "Backups::listfullbackups" && f.pending:
		var all []obj
		for n, x := range f.files {
			all = append(all, obj{"file": n, "status": x.state, "time": fmt.Sprint(x.mtime.Unix())})
		}
		return give(all, into)
	}
	return absent(module, function)
}

func (f asHost) whm(_ context.Context, function string, _ url.Values, into any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("WHM " + function); err != nil {
		return err
	}
	if a, ok := f.answers["WHM "+function]; ok {
		return give(a, into)
	}
	return absent("", function)
}

func (f asHost) version(context.Context) (version, error) {
	return readVersion("11." + f.fakeHost.major + ".0.4"), f.down
}

func (f asHost) lastCertificate() (time.Time, string, bool) {
	return time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), strings.Repeat("ab", 32), true
}

func (f asHost) read(_ context.Context, path string, known int64) (io.ReadCloser, error) {
	if err := f.called("GET " + path); err != nil {
		return nil, err
	}
	return f.fakeHost.read(path, known)
}

func (f asHost) probe(_ context.Context, path string) (string, error) {
	return "token", f.called("GET " + path)
}

// grow has a file appear and grow by a step each second, until it has size; then its
// state is done.
func (f *fakeHost) grow(name string, size, step int64, done string) {
	now := time.Now().Add(f.skew)
	x := &fakeFile{born: now, mtime: now, state: "inprogress"}
	f.files[name] = x
	go func() {
		for left := size; left > 0; left -= step {
			time.Sleep(time.Second)
			f.do(func() { x.size, x.mtime = min(x.size+step, size), time.Now().Add(f.skew) })
		}
		f.do(func() { x.state = done })
	}()
}

// do changes the host between two calls.
func (f *fakeHost) do(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// later changes it after a while.
func (f *fakeHost) later(d time.Duration, change func()) { time.AfterFunc(d, func() { f.do(change) }) }

// fakeAccount is a source with the fake as its host, and what the provider keeps of it.
type fakeAccount struct {
	*Provider
	job  providers.Job
	fake *fakeHost
	kept [][]byte
}

func newAccount(f *fakeHost, change ...func(*keepwatch.Hosting)) *fakeAccount {
	a := &fakeAccount{fake: f}
	a.Provider = New(Config{Now: time.Now})
	a.dial = func(keepwatch.Hosting) (host, error) { return asHost{f}, nil }
	hosting := &keepwatch.Hosting{URL: "https://web1.example.net:2083", User: "ruthin", Token: keepwatch.NewSecret("T0KEN")}
	for _, c := range change {
		c(hosting)
	}
	a.job = providers.Job{
		Source: keepwatch.Source{Name: "ruthin-web", Kind: keepwatch.KindCPanel, Hosting: hosting}, Report: func(keepwatch.Progress) {}, Found: func(keepwatch.Inside) {}, Run: 7,
		Keep: func(b json.RawMessage) error { a.kept = append(a.kept, slices.Clone(b)); a.job.Remote = b; return nil },
	}
	return a
}

// remote gives what was kept last.
func (a *fakeAccount) remote() remote {
	a.fake.t.Helper()
	r, err := readRemote(a.job)
	if err != nil {
		a.fake.t.Fatal(err)
	}
	return r
}
