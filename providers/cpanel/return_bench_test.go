package cpanel_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/cpanel"
	"keepwatch/providers/cpanel/cpaneltest"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// shelf is a vault of a test.
type shelf struct {
	mu      sync.Mutex
	files   map[string][]byte // by ref and path
	second  map[string][]byte // what is read from the second time on, where it is another
	mtime   time.Time
	damaged bool // the SHA-256 is wrong at the end
	opened  int
	left    int // open now
}

func (s *shelf) put(ref, path string, content []byte) {
	if s.files == nil {
		s.files = map[string][]byte{}
	}
	s.files[ref+" "+path] = content
}

// OpenEntry satisfies providers.Opener.
func (s *shelf) OpenEntry(_ context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	content, ok := s.files[ref+" "+path]
	if !ok {
		return keepwatch.Entry{}, nil, keepwatch.Errorf(keepwatch.KindNotFound, "%s is not in %s.", path, ref)
	}
	if s.opened++; s.opened > 1 && s.second != nil {
		content = s.second[ref+" "+path]
	}
	s.left++
	r := &reading{Reader: bytes.NewReader(content), s: s}
	if s.damaged {
		r.Reader = io.MultiReader(r.Reader, broken{keepwatch.Errorf(keepwatch.KindAttention, "The archive is damaged.").Because(keepwatch.ErrDamaged)})
	}
	return keepwatch.Entry{Path: path, Type: keepwatch.EntryFile, Size: int64(len(content)), ModTime: s.mtime}, r, nil
}

type reading struct {
	io.Reader
	s      *shelf
	closed bool
}

func (r *reading) Close() error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if !r.closed {
		r.s.left--
	}
	r.closed = true
	return nil
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// set gives an archive of some files, made so many days after noon.
func (s *shelf) set(day int, files map[string][]byte) providers.Set {
	a := keepwatch.Archive{Source: "web", Stamp: keepwatch.StampOf(noon.AddDate(0, 0, day)), Started: noon.AddDate(0, 0, day)}
	set := providers.Set{Archive: a, From: s}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		s.put(a.Ref(), name, files[name])
		set.Entries = append(set.Entries, keepwatch.Entry{Path: name, Type: keepwatch.EntryFile, Size: int64(len(files[name]))})
	}
	return set
}

// bench is an account on a fake host, and what puts parts back into it.
type bench struct {
	t       *testing.T
	host    *cpaneltest.Host
	account *cpaneltest.Account
	cpanel.Returner
	shelf *shelf
}

func newBench(t *testing.T, cfg cpaneltest.Config, whm bool) *bench {
	t.Helper()
	h := cpaneltest.New(t, cfg)
	a := h.AddAccount("ruthin")
	account := keepwatch.Hosting{URL: h.URL(), User: "ruthin", Token: keepwatch.NewSecret(a.Token()), Fingerprint: h.Fingerprint()}
	if whm {
		account.URL, account.WHM, account.Token = h.WHMURL(), "root", keepwatch.NewSecret(h.WHMToken("root"))
	}
	b := &bench{t: t, host: h, account: a, Returner: cpanel.NewReturner(t, account, 5*time.Millisecond), shelf: &shelf{}}
	t.Cleanup(func() {
		if b.shelf.left != 0 {
			t.Errorf("%d files of archives are still open", b.shelf.left)
		}
		for _, v := range h.Violations() {
			t.Errorf("against the contract: %s", v)
		}
	})
	return b
}

// life fills the account with what there is in one.
func (b *bench) life() {
	for name, text := range map[string]string{"public_html/index.php": "<?php echo 1;", "public_html/a b/ünï.txt": "x", "mail/ruthin.example/info/cur/1": "Subject: hi\n\n", ".cpanel/filter.yaml": "filter: [spam]\n", "empty": ""} {
		b.account.AddFile(name, []byte(text))
	}
	b.account.AddLink("www", "public_html")
	b.account.AddDatabase("ruthin_wp", cpaneltest.Statements(300))
	b.account.AddDatabase("ruthin_shop", "")
	b.account.AddDomain("second.example")
	b.account.AddForwarder("ruthin.example", "info", "alis@example.org")
	b.account.AddForwarder("second.example", "sales", "alis@example.org")
}

// snapshot is all that an account holds, apart from logs and backups.
func (b *bench) snapshot() map[string]string {
	all := map[string]string{}
	for _, name := range b.account.Files() {
		if strings.HasSuffix(name, ".log") || strings.HasPrefix(name, "backup-") {
			continue
		}
		content, _ := b.account.File(name)
		all[name] = string(content)
	}
	for _, db := range b.account.Databases() {
		all["database "+db] = b.account.Database(db)
	}
	for _, d := range b.account.Domains() {
		all["forwarders "+d] = strings.Join(b.account.Forwarders(d), "\n")
	}
	return all
}

// backup has the host make a full backup and takes it away from there.
func (b *bench) backup() (name string, content []byte) {
	b.t.Helper()
	before := b.account.HomeBackups()
	if err := b.UAPI(b.t.Context(), "Backup", "fullbackup_to_homedir"); err != nil {
		b.t.Fatal(err)
	}
	for last := -1; ; {
		names := b.account.HomeBackups()
		if len(names) > len(before) {
			name = names[len(names)-1]
			content, _ = b.account.File(name)
			if _, err := gunzip(content); err == nil && len(content) == last {
				b.account.DropServerFile(name)
				return name, content
			}
			last = len(content)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-b.t.Context().Done():
			b.t.Fatal("no backup was made")
		}
	}
}

func gunzip(packed []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

func gz(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text) // into memory
	_ = w.Close()
	return b.Bytes()
}

// record is what a run keeps of an item.
type record struct {
	remote json.RawMessage
	kept   []string // the stages that were saved, in order
	fail   func(stage string) error
}

func (r *record) job(retried bool) providers.Job {
	return providers.Job{
		Run: 7, Source: keepwatch.Source{Name: "web"}, Report: func(keepwatch.Progress) {}, Remote: r.remote, Retried: retried,
		Keep: func(data json.RawMessage) error {
			var st struct {
				Stage string `json:"stage"`
			}
			if err := json.Unmarshal(data, &st); err != nil {
				return err
			}
			if r.fail != nil {
				if err := r.fail("before " + st.Stage); err != nil {
					return err
				}
			}
			r.remote = slices.Clone(data)
			r.kept = append(r.kept, st.Stage)
			if r.fail != nil {
				return r.fail("after " + st.Stage)
			}
			return nil
		},
	}
}

// all puts back everything that a plan says.
func (b *bench) all(plan keepwatch.ReturnPlan) []keepwatch.ServerLog {
	b.t.Helper()
	var logs []keepwatch.ServerLog
	for _, item := range plan.Items {
		var r record
		log, err := b.Return(b.t.Context(), r.job(false), item, b.shelf)
		if err != nil {
			b.t.Fatalf("%s: %v", item.Name, err)
		}
		logs = append(logs, log)
	}
	return logs
}

// carried names what the host has carried out.
func (b *bench) carried() []string {
	var all []string
	for _, r := range b.account.Restored() {
		all = append(all, r.Function+" "+r.File)
	}
	return all
}

func names(plan keepwatch.ReturnPlan) []string {
	var all []string
	for _, i := range plan.Items {
		all = append(all, i.At.Format("2 ")+i.Name)
	}
	return all
}
