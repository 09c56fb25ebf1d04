package cpanel_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/cpanel"
	"keepwatch/providers/cpanel/cpaneltest"
)

// TestReturnEverything: after a restore of everything an emptied account is as it was.
func TestReturnEverything(t *testing.T) {
	for name, c := range map[string]struct {
		cfg cpaneltest.Config
		whm bool
	}{
		"new": {}, "old": {cfg: cpaneltest.Config{Version: "11.110.0.30"}},
		"wrapped and loose": {cfg: cpaneltest.Config{Wrapped: true, Loose: true}}, "parts by WHM": {whm: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, c.cfg, c.whm)
			b.life()
			want := b.snapshot()
			file, content := b.backup()
			b.account.Empty()
			b.account.AddFile("public_html/later.php", []byte("stays"))
			parts := []string{}
			if c.whm {
				parts = []string{"home", "databases", "forwarders", "filters"}
			}
			plan, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(0, map[string][]byte{file: content})}, parts)
			if err != nil {
				t.Fatal(err)
			}
			logs := b.all(plan)
			want["public_html/later.php"] = "stays"
			if diff := cmp.Diff(want, b.snapshot()); diff != "" {
				t.Error(diff)
			}
			if b.account.Filter("") != "filter: [spam]\n" {
				t.Errorf("the filters are %q", b.account.Filter(""))
			}
			if link := slices.Contains(b.account.Files(), "www"); !link {
				t.Error("the link is not there")
			}
			for i, l := range logs {
				if l.Name == "" || !strings.Contains(l.Text, "successfully restored") {
					t.Errorf("%s: the log %s is %q", plan.Items[i].Name, l.Name, l.Text)
				}
			}
			if got := len(b.carried()); got != len(plan.Items) {
				t.Errorf("%d restores for %d items: %q", got, len(plan.Items), b.carried())
			}
		})
	}
}

// TestReturnSets: in date order, whatever the order in which they are named, so that
// the newest is what remains.
func TestReturnSets(t *testing.T) {
	b := newBench(t, cpaneltest.Config{}, false)
	var home bytes.Buffer
	if err := cpaneltest.WriteArchive(&home, cpaneltest.ArchiveSpec{User: "ruthin", Files: map[string][]byte{"public_html/x": []byte("old"), "public_html/only-old": []byte("1")}}, noon); err != nil {
		t.Fatal(err)
	}
	newest := b.shelf.set(9, map[string][]byte{"databases/ruthin_wp.sql.gz": gz("new"), "forwarders/aliases-ruthin.example.gz": gz("a@ruthin.example: new@example.org\n")})
	middle := b.shelf.set(5, map[string][]byte{"databases/ruthin_wp.sql.gz": gz("middle"), "filters/filter_info.ruthin.yaml.gz": gz("filter: []\n")})
	oldest := b.shelf.set(1, map[string][]byte{"backup-11.24.2026_06-00-00_ruthin.tar.gz": home.Bytes()})
	plan, err := b.Plan(t.Context(), []providers.Set{newest, oldest, middle}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"24 home directory", "24 e-mail forwarders of ruthin.example", "28 database ruthin_wp", "28 e-mail filters", "2 database ruthin_wp", "2 e-mail forwarders of ruthin.example"}
	if diff := cmp.Diff(want, names(plan)); diff != "" {
		t.Error(diff)
	}
	b.all(plan)
	if got := b.account.Database("ruthin_wp"); got != "new" {
		t.Errorf("the database holds %q", got)
	}
	if got := b.account.Forwarders("ruthin.example"); !slices.Equal(got, []string{"a@ruthin.example: new@example.org"}) {
		t.Errorf("the forwarders are %q", got)
	}
}

// TestReturnLost: an answer that is lost is found again in the host's log, and nothing
// is begun twice.
func TestReturnLost(t *testing.T) {
	for name, c := range map[string]struct {
		fault   cpaneltest.Fault
		want    string // in the error; "": none
		carried int
	}{
		"cut in the middle":              {cpaneltest.Fault{RestoreCut: true}, "", 1},
		"cut in the middle of a failure": {cpaneltest.Fault{RestoreCut: true, RestoreFails: "ERROR 1142: CREATE command denied"}, "CREATE command denied", 1},
		"answer lost":                    {cpaneltest.Fault{Lose: true}, "", 1},
		"answer garbled":                 {cpaneltest.Fault{Junk: true}, "", 1},
		"fails":                          {cpaneltest.Fault{RestoreFails: "ERROR 1142: CREATE command denied"}, "CREATE command denied", 1},
		"refused":                        {cpaneltest.Fault{Error: "You do not have the feature “backup”."}, "You do not have the feature", 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, cpaneltest.Config{}, false)
			plan, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(0, map[string][]byte{"databases/ruthin_wp.sql.gz": gz("INSERT 1;\n")})}, nil)
			if err != nil {
				t.Fatal(err)
			}
			c.fault.On = "Backup::restore_databases"
			b.host.Fault(c.fault)
			var r record
			log, err := b.Return(t.Context(), r.job(false), plan.Items[0], b.shelf)
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || keepwatch.KindOf(err) != keepwatch.KindAttention) {
				t.Errorf("%v", err)
			}
			if got := len(b.carried()); got != c.carried {
				t.Errorf("%d restores were carried out: %q", got, b.carried())
			}
			if c.carried > 0 && log.Name == "" {
				t.Errorf("no log: %+v", log)
			}
			// Called once more after a kill: nothing is begun.
			_, again := b.Return(t.Context(), r.job(false), plan.Items[0], b.shelf)
			if (again == nil) != (err == nil) || len(b.carried()) != c.carried {
				t.Errorf("again: %v, %q", again, b.carried())
			}
			if c.want == "" {
				return
			}
			// And a person's retry begins anew, once.
			if _, err := b.Return(t.Context(), r.job(true), plan.Items[0], b.shelf); err != nil {
				t.Errorf("after a retry: %v", err)
			}
			if _, err := b.Return(t.Context(), r.job(true), plan.Items[0], b.shelf); err != nil || len(b.carried()) != c.carried+1 {
				t.Errorf("after a retry, again: %v, %q", err, b.carried())
			}
			if got := b.account.Database("ruthin_wp"); got != "INSERT 1;\n" {
				t.Errorf("the database holds %q", got)
			}
		})
	}
}

var errKilled = errors.New("killed")

// TestReturnKilled: killed at each point and called again, an item is put back once,
// whether it goes as it is or is taken out of a full backup.
func TestReturnKilled(t *testing.T) {
	var full bytes.Buffer
	if err := cpaneltest.WriteArchive(&full, cpaneltest.ArchiveSpec{User: "ruthin", Databases: map[string]string{"ruthin_wp": "INSERT 1;\n"}}, noon); err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{"databases/ruthin_wp.sql.gz": gz("INSERT 1;\n"), "backup-11.23.2026_06-00-00_ruthin.tar.gz": full.Bytes()} {
		for _, point := range []string{"before sending", "after sending", "before sent", "after sent", "before ended", "after ended"} {
			t.Run(file[:6]+" "+point, func(t *testing.T) {
				b := newBench(t, cpaneltest.Config{}, false)
				plan, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(0, map[string][]byte{file: content})}, []string{"databases"})
				if err != nil {
					t.Fatal(err)
				}
				ctx, kill := context.WithCancelCause(t.Context())
				r := record{}
				r.fail = func(at string) error {
					if at == point {
						kill(errKilled)
					}
					return context.Cause(ctx) // a dead process saves nothing more
				}
				if _, err := b.Return(ctx, r.job(false), plan.Items[0], b.shelf); err == nil {
					t.Fatal("it went on after it was killed")
				}
				r.fail = nil
				_, err = b.Return(t.Context(), r.job(false), plan.Items[0], b.shelf)
				if point == "after sent" { // the last byte did not go: nobody can know that
					if keepwatch.KindOf(err) != keepwatch.KindAttention || len(b.carried()) != 0 {
						t.Errorf("%v, %q", err, b.carried())
					}
					_, err = b.Return(t.Context(), r.job(true), plan.Items[0], b.shelf)
				}
				if err != nil || len(b.carried()) != 1 || b.account.Database("ruthin_wp") != "INSERT 1;\n" {
					t.Errorf("%v, %q, stages %q", err, b.carried(), r.kept)
				}
			})
		}
	}
}

// TestReturnKilledWhileItRuns: the process is gone while the host is at it; the next
// one waits for the end.
func TestReturnKilledWhileItRuns(t *testing.T) {
	b := newBench(t, cpaneltest.Config{Steps: true}, false)
	plan, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(0, map[string][]byte{"databases/ruthin_wp.sql.gz": gz("INSERT 1;\n")})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, kill := context.WithCancel(t.Context())
	var r record
	over := make(chan error)
	go func() {
		_, err := b.Return(ctx, r.job(false), plan.Items[0], b.shelf)
		over <- err
	}()
	b.host.Step() // it is under way
	kill()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	go func() {
		_, err := b.Return(t.Context(), r.job(false), plan.Items[0], b.shelf)
		over <- err
	}()
	b.host.Step()
	if err := <-over; err != nil || len(b.carried()) != 1 {
		t.Errorf("%v, %q", err, b.carried())
	}
}

// cutter lets connections through to a host, and breaks the next one that sends more
// than so many bytes.
type cutter struct {
	net.Listener
	to    string
	after atomic.Int64 // 0: nothing is broken
}

func newCutter(t *testing.T, to string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, to: to}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer context.AfterFunc(t.Context(), func() { in.Close() })() // the client keeps connections
				c.serve(in)
			})
		}
	})
	t.Cleanup(func() { l.Close(); open.Wait() })
	return c
}

func (c *cutter) serve(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer out.Close()
	var back sync.WaitGroup
	back.Go(func() { _, _ = io.Copy(in, out); in.Close() }) // until either ends
	for block, sent := make([]byte, 32<<10), int64(0); ; {
		n, err := in.Read(block)
		if sent += int64(n); c.after.Load() > 0 && sent > c.after.Load() {
			c.after.Store(0)
			break
		}
		if _, werr := out.Write(block[:n]); err != nil || werr != nil {
			break
		}
	}
	in.Close()
	out.Close()
	back.Wait()
}

// TestReturnCutUpload: a connection that breaks while the upload is under way has begun
// nothing: it is worth another try, and nobody is asked.
func TestReturnCutUpload(t *testing.T) {
	b := newBench(t, cpaneltest.Config{}, false)
	cut := newCutter(t, strings.TrimPrefix(b.host.URL(), "https://"))
	account := keepwatch.Hosting{URL: "https://" + cut.Addr().String(), User: "ruthin", Token: keepwatch.NewSecret(b.account.Token()), Fingerprint: b.host.Fingerprint()}
	b.Returner = cpanel.NewReturner(t, account, 5*time.Millisecond)
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.NoCompression)
	line := "-- " + strings.Repeat("x", 1<<20) + "\n"
	for range 24 { // more than fits between two sockets
		_, _ = io.WriteString(w, line) // into memory
	}
	_ = w.Close()
	plan, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(0, map[string][]byte{"databases/ruthin_wp.sql.gz": packed.Bytes()})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var r record
	for _, after := range []int64{20_000, 1 << 20, 9 << 20} {
		cut.after.Store(after)
		_, err = b.Return(t.Context(), r.job(false), plan.Items[0], b.shelf)
		if keepwatch.KindOf(err) != keepwatch.KindTransient || slices.Contains(r.kept, "sent") || len(b.carried()) != 0 {
			t.Fatalf("%d: %v, stages %q, %q", after, err, r.kept, b.carried())
		}
	}
	if _, err = b.Return(t.Context(), r.job(false), plan.Items[0], b.shelf); err != nil || len(b.carried()) != 1 {
		t.Errorf("%v, %q", err, b.carried())
	}
}

// TestReturnHostile: what could reach out of the home directory is not put back, and
// the log says what that was.
func TestReturnHostile(t *testing.T) {
	b := newBench(t, cpaneltest.Config{}, false)
	var full bytes.Buffer
	spec := cpaneltest.ArchiveSpec{User: "ruthin", Files: map[string][]byte{"good": []byte("1")}, Links: map[string]string{"evil": "/etc", "up": "../../root", "www": "public_html", "own": "/home/ruthin/mail"}}
	if err := cpaneltest.WriteArchive(&full, spec, noon); err != nil {
		t.Fatal(err)
	}
	plan, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(0, map[string][]byte{fullOfTest: full.Bytes()})}, []string{"home"})
	if err != nil {
		t.Fatal(err)
	}
	logs := b.all(plan)
	files := b.account.Files()
	for name, want := range map[string]bool{"good": true, "www": true, "own": true, "evil": false, "up": false} {
		if slices.Contains(files, name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	if text := logs[0].Text; !strings.Contains(text, "2 entries of the backup could do harm") || !strings.Contains(text, "evil (a link that leads out of the home directory)") {
		t.Errorf("the log is %q", text)
	}
}

// TestReturnDamaged: nothing of a damaged archive is ever put back.
func TestReturnDamaged(t *testing.T) {
	var full bytes.Buffer
	spec := cpaneltest.ArchiveSpec{User: "ruthin", Many: 50, Databases: map[string]string{"ruthin_wp": strings.Repeat("INSERT 1;\n", 5000)}}
	if err := cpaneltest.WriteArchive(&full, spec, noon); err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{"databases/ruthin_wp.sql.gz": gz(strings.Repeat("INSERT 1;\n", 5000)), "home/backup-ruthin.example-11-23-2026.tar.gz": gz("x"), "backup-11.23.2026_06-00-00_ruthin.tar.gz": full.Bytes()} {
		b := newBench(t, cpaneltest.Config{}, false)
		plan, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(0, map[string][]byte{file: content})}, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.shelf.damaged = true
		for _, item := range plan.Items {
			var r record
			if _, err := b.Return(t.Context(), r.job(false), item, b.shelf); !errors.Is(err, keepwatch.ErrDamaged) {
				t.Errorf("%s of %s: %v", item.Name, file, err)
			}
			if len(r.kept) > 0 && (slices.Contains(r.kept, "sent") || r.kept[len(r.kept)-1] != "") {
				t.Errorf("%s of %s: %q was saved", item.Name, file, r.kept)
			}
		}
		if got := b.carried(); len(got) > 0 {
			t.Errorf("%s: %q", file, got)
		}
	}
}

func TestReturnManyFiles(t *testing.T) {
	b := newBench(t, cpaneltest.Config{Pace: func() {}}, false)
	var full bytes.Buffer
	if err := cpaneltest.WriteArchive(&full, cpaneltest.ArchiveSpec{User: "ruthin", Many: 10_000, HomeTar: true}, noon); err != nil {
		t.Fatal(err)
	}
	plan, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(0, map[string][]byte{"backup-11.23.2026_06-00-00_ruthin.tar.gz": full.Bytes()})}, []string{"home"})
	if err != nil {
		t.Fatal(err)
	}
	b.all(plan)
	for _, i := range []int{0, 1, 4999, 9999} {
		name := fmt.Sprintf("public_html/many/%04d/file-%06d.txt", i/500, i)
		if content, ok := b.account.File(name); !ok || string(content) != cpaneltest.ManyContent(i) {
			t.Errorf("%s is not as it was", name)
		}
	}
	if n := len(b.account.Files()); n < 10_000 {
		t.Errorf("%d files", n)
	}
}

func TestReturnAbsent(t *testing.T) {
	b := newBench(t, cpaneltest.Config{Version: "11.82.0.1"}, false)
	plan, err := b.Plan(t.Context(), []providers.Set{b.shelf.set(0, map[string][]byte{"databases/ruthin_wp.sql.gz": gz("x")})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var r record
	_, err = b.Return(t.Context(), r.job(false), plan.Items[0], b.shelf)
	if s := keepwatch.Sentence(err); !strings.Contains(s, "restore_databases, which there is since cPanel 84") || !strings.Contains(s, "--to FOLDER") {
		t.Errorf("%v", err)
	}
}

func TestReturnNotInside(t *testing.T) {
	b := newBench(t, cpaneltest.Config{}, false)
	var full bytes.Buffer
	if err := cpaneltest.WriteArchive(&full, cpaneltest.ArchiveSpec{User: "ruthin"}, noon); err != nil {
		t.Fatal(err)
	}
	set := b.shelf.set(0, map[string][]byte{"backup-11.23.2026_06-00-00_ruthin.tar.gz": full.Bytes()})
	set.Archive.Inside = &keepwatch.Inside{Files: 3, Databases: []string{"ruthin_gone"}, Mail: &keepwatch.InsideMail{Forwarders: []string{"gone.example"}, Filters: true}}
	plan, err := b.Plan(t.Context(), []providers.Set{set}, []string{"databases", "forwarders", "filters"})
	if err != nil {
		t.Fatal(err)
	}
	if b.shelf.opened != 0 {
		t.Error("the archive was read though it was known what is in it")
	}
	for _, item := range plan.Items {
		var r record
		log, err := b.Return(t.Context(), r.job(false), item, b.shelf)
		if item.Part == "database:ruthin_gone" {
			if keepwatch.KindOf(err) != keepwatch.KindNotFound {
				t.Errorf("%s: %v", item.Name, err)
			}
		} else if err != nil || !strings.Contains(log.Text, "nothing to put back") {
			t.Errorf("%s: %v, %q", item.Name, err, log.Text)
		}
	}
	if len(b.carried()) != 0 {
		t.Errorf("%q", b.carried())
	}
}

// TestReturnReadTwice: what is not the same the second time is not put back.
func TestReturnReadTwice(t *testing.T) {
	b := newBench(t, cpaneltest.Config{}, false)
	full := func(row string) []byte {
		var out bytes.Buffer
		if err := cpaneltest.WriteArchive(&out, cpaneltest.ArchiveSpec{User: "ruthin", Databases: map[string]string{"ruthin_wp": row}}, noon); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	set := b.shelf.set(0, map[string][]byte{fullOfTest: full("INSERT 1;\n")})
	plan, err := b.Plan(t.Context(), []providers.Set{set}, []string{"databases"})
	if err != nil {
		t.Fatal(err)
	}
	b.shelf.opened, b.shelf.second = 0, map[string][]byte{set.Archive.Ref() + " " + fullOfTest: full("INSERT 2;\n")}
	var r record
	_, err = b.Return(t.Context(), r.job(false), plan.Items[0], b.shelf)
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(err.Error(), "was not the same both times") || len(b.carried()) != 0 || slices.Contains(r.kept, "sent") {
		t.Errorf("%v, %q, %q", err, b.carried(), r.kept)
	}
}
