package cpaneltest_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/providers/cpanel/cpaneltest"
)

// upload calls a function with one file as multipart.
func (p *plain) upload(name, part, filename string, content []byte, fields ...string) (reply, error) {
	p.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := form.WriteField(fields[i], fields[i+1]); err != nil {
			p.t.Fatal(err)
		}
	}
	file, err := form.CreateFormFile(part, filename)
	if err != nil {
		p.t.Fatal(err)
	}
	_, _ = file.Write(content) // a Buffer takes everything
	if err := form.Close(); err != nil {
		p.t.Fatal(err)
	}
	module, function, _ := strings.Cut(name, "::")
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.h.URL()+"/execute/"+module+"/"+function, &b)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", p.auth)
	req.Header.Set("Content-Type", form.FormDataContentType())
	resp, err := p.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	var r reply
	return r, json.NewDecoder(resp.Body).Decode(&r)
}

type restored struct {
	ID       string   `json:"log_id"`
	Path     string   `json:"log_path"`
	Messages []string `json:"messages"`
}

func (r reply) restored(t *testing.T) restored {
	t.Helper()
	var out restored
	if err := json.Unmarshal(r.Data, &out); err != nil {
		t.Fatalf("%v in %s", err, r.Data)
	}
	return out
}

func zipText(text string) []byte {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = zip.Write([]byte(text)) // a Buffer takes everything
	_ = zip.Close()
	return b.Bytes()
}

func quick(t *testing.T) (*cpaneltest.Host, *cpaneltest.Account, *plain) {
	t.Helper()
	h := cpaneltest.New(t, cpaneltest.Config{Pace: func() {}})
	a := h.AddAccount("ruthin")
	t.Cleanup(func() {
		if bad := broken(h); len(bad) > 0 {
			t.Error(bad)
		}
	})
	return h, a, account(t, a, h)
}

// broken gives the calls that break the contract. The tests of the fake call functions
// too that Keepwatch does not use and the contract does not name.
func broken(h *cpaneltest.Host) []string {
	return slices.DeleteFunc(h.Violations(), func(v string) bool { return strings.HasSuffix(v, "is not in the contract") })
}

// TestDatabaseThereAndBack: what /getsqlbackup gives is what restore_databases takes.
func TestDatabaseThereAndBack(t *testing.T) {
	t.Parallel()
	_, a, p := quick(t)
	a.AddDatabase("ruthin_wp", cpaneltest.Statements(200))
	before := a.Database("ruthin_wp")
	_, dump, err := p.get("/getsqlbackup/ruthin_wp.sql.gz")
	if err != nil {
		t.Fatal(err)
	}
	a.Empty()
	if a.Database("ruthin_wp") != "" {
		t.Fatal("it is not empty")
	}
	r, err := p.upload("Backup::restore_databases", "file", "ruthin_wp.sql.gz", dump, "verbose", "1")
	if err != nil || r.Status != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if a.Database("ruthin_wp") != before || before == "" {
		t.Error("it is not what it was")
	}
	got := r.restored(t)
	if !strings.HasPrefix(got.Path, "/home/ruthin/logs/restoredb/") || len(got.Messages) != 1 {
		t.Errorf("the answer is %+v", got)
	}
	var log struct{ Content string }
	p.must(&log, "Fileman::get_file_content", "dir", "/home/ruthin/logs/restoredb", "file", got.ID+".log")
	if !strings.Contains(log.Content, "successfully restored the database 'ruthin_wp'") {
		t.Errorf("the log is %q", log.Content)
	}
	if all := a.Restored(); len(all) != 1 || all[0].File != "ruthin_wp.sql.gz" || all[0].Function != "restore_databases" || all[0].Failed != "" {
		t.Errorf("it was restored as %+v", all)
	}
}

func TestDamagedDumpIsHalfRestored(t *testing.T) {
	t.Parallel()
	_, a, p := quick(t)
	a.AddDatabase("ruthin_wp", cpaneltest.Statements(200))
	half := a.Database("ruthin_wp")[:4000]
	r, err := p.upload("Backup::restore_databases", "file", "ruthin_wp.sql.gz", zipText(half+"\nmysqldump: Error 2013: Lost connection\n"))
	if err != nil || r.Status != 0 || !strings.Contains(r.Errors[0], "ERROR 1064") {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := a.Database("ruthin_wp"); !strings.HasPrefix(got, half) {
		t.Errorf("what came before the error is not there: %d bytes", len(got))
	}
	if all := a.Restored(); all[0].Failed == "" || r.restored(t).Path != all[0].Log {
		t.Errorf("it was restored as %+v", all)
	}
	for name, content := range map[string][]byte{"ruthin_wp.sql.gz": []byte("no gzip"), "other_wp.sql.gz": zipText("SELECT 1;\n")} {
		if r, err := p.upload("Backup::restore_databases", "file", name, content); err != nil || r.Status != 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestHomeThereAndBack(t *testing.T) {
	t.Parallel()
	_, a, p := quick(t)
	for name, text := range map[string]string{"public_html/a.txt": "a", "public_html/deep/er/ü.txt": "b", ".htaccess": "c"} {
		a.AddFile(name, []byte(text))
	}
	big := bytes.Repeat([]byte("large"), 300_000)
	a.AddFile("big.bin", big)
	before := a.Files()
	_, archive, err := p.get("/getbackup/backup-ruthin.example-11-23-2026.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	a.Empty()
	r, err := p.upload("Fileman::upload_files", "file-0", "backup-ruthin.example-11-23-2026.tar.gz", archive, "dir", "/home/ruthin/tmp")
	if err != nil || r.Status != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	p.must(nil, "Backup::restore_files", "backup", "/home/ruthin/tmp/backup-ruthin.example-11-23-2026.tar.gz")
	var got []string
	for _, name := range a.Files() {
		if !strings.HasPrefix(name, ".cpanel/logs/") && !strings.HasPrefix(name, "tmp/") {
			got = append(got, name)
		}
	}
	if diff := cmp.Diff(before, got); diff != "" {
		t.Error(diff)
	}
	if data, _ := a.File("big.bin"); !bytes.Equal(data, big) {
		t.Error("the large file is another one")
	}
	p.must(nil, "Backup::restore_files", "backup", "tmp/backup-ruthin.example-11-23-2026.tar.gz", "directory", "old")
	if data, ok := a.File("old/public_html/a.txt"); !ok || string(data) != "a" {
		t.Errorf("in another folder it is %q", data)
	}
	for _, outside := range []string{"/etc/passwd.tar.gz", "../other/x.tar.gz"} {
		if r := p.ask("Backup::restore_files", "backup", outside); r.Status != 0 {
			t.Errorf("%s is taken", outside)
		}
	}
}

func TestHostileMembersStayOut(t *testing.T) {
	t.Parallel()
	_, a, p := quick(t)
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	out := tar.NewWriter(zip)
	for _, name := range []string{"./ok.txt", "../evil.txt", "/etc/evil.txt"} {
		if err := out.WriteHeader(&tar.Header{Name: name, Size: 1, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		_, _ = out.Write([]byte("x")) // a Buffer takes everything
	}
	_, _ = out.Close(), zip.Close()
	if r, err := p.upload("Backup::restore_files", "backup", "x.tar.gz", b.Bytes()); err != nil || r.Status != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, name := range a.Files() {
		if strings.Contains(name, "evil") {
			t.Errorf("there is %s", name)
		}
	}
	if _, ok := a.File("ok.txt"); !ok {
		t.Error("the good one is not there")
	}
}

func TestMailThereAndBack(t *testing.T) {
	t.Parallel()
	_, a, p := quick(t)
	a.AddForwarder("ruthin.example", "info", "alis@contoso.example")
	a.AddForwarder("ruthin.example", "shop@ruthin.example", "bram@contoso.example")
	a.AddFilter("", "---\nfilter: [spam]\n")
	a.AddFilter("ruthin.example", "# Exim filter\n")
	want := a.Forwarders("ruthin.example")
	routes := map[string]string{
		"/getaliasbackup/aliases-ruthin.example.gz":   "Backup::restore_email_forwarders",
		"/getfilterbackup/filter_info.ruthin.yaml.gz": "Backup::restore_email_filters",
		"/getfilterbackup/filter-ruthin.example.gz":   "Backup::restore_email_filters",
	}
	files := map[string][]byte{}
	for route := range routes {
		_, data, err := p.get(route)
		if err != nil {
			t.Fatal(err)
		}
		files[route] = data
	}
	a.Empty()
	for route, function := range routes {
		if r, err := p.upload(function, "backup", route[strings.LastIndex(route, "/")+1:], files[route]); err != nil || r.Status != 1 {
			t.Errorf("%s: %+v, %v", function, r, err)
		}
	}
	if diff := cmp.Diff(want, a.Forwarders("ruthin.example")); diff != "" {
		t.Error(diff)
	}
	if a.Filter("") != "---\nfilter: [spam]\n" || a.Filter("ruthin.example") != "# Exim filter\n" {
		t.Errorf("the filters are %q and %q", a.Filter(""), a.Filter("ruthin.example"))
	}
}

func TestRestoreGoesOn(t *testing.T) {
	t.Parallel()
	h, a, p := quick(t)
	a.AddDatabase("ruthin_wp", "")
	h.Fault(cpaneltest.Fault{On: "Backup::restore_databases", RestoreCut: true})
	if r, err := p.upload("Backup::restore_databases", "file", "ruthin_wp.sql.gz", zipText("SELECT 1;\n")); err == nil {
		t.Fatalf("the connection is cut, and the answer is %+v", r)
	}
	h.Settle()
	if got := a.Database("ruthin_wp"); got != "SELECT 1;\n" {
		t.Errorf("it is %q", got)
	}
	all := a.Restored()
	log, ok := a.File(strings.TrimPrefix(all[0].Log, "/home/ruthin/"))
	if len(all) != 1 || !ok || !strings.Contains(string(log), "The restoration is complete.") {
		t.Errorf("it was restored as %+v with the log %q", all, log)
	}
	h.Fault(cpaneltest.Fault{On: "Backup::restore_databases", RestoreFails: "The MySQL server has gone away."})
	r, err := p.upload("Backup::restore_databases", "file", "ruthin_wp.sql.gz", zipText("SELECT 2;\n"))
	if err != nil || r.Status != 0 || r.Errors[0] != "The MySQL server has gone away." || a.Database("ruthin_wp") != "SELECT 1;\n" {
		t.Errorf("it fails as %+v, %v", r, err)
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	_, a, p := quick(t)
	put := func(name string, more ...string) reply {
		r, err := p.upload("Fileman::upload_files", "file-0", name, []byte("12345"), append([]string{"dir", "/home/ruthin"}, more...)...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := put("a.txt"); r.Status != 1 || !strings.Contains(string(r.Data), `"succeeded":1`) {
		t.Errorf("%+v", r)
	}
	if r := put("a.txt"); r.Status != 0 {
		t.Errorf("it is overwritten: %+v", r)
	}
	if r := put("a.txt", "overwrite", "1"); r.Status != 1 {
		t.Errorf("%+v", r)
	}
	a.SetQuota(100, 102)
	if r := put("b.txt"); r.Status != 0 || !strings.Contains(string(r.Data), "exceeds the available disk space") {
		t.Errorf("beyond the quota: %+v", r)
	}
}

// TestDeleting: what is locked stays, whatever the answer says.
func TestDeleting(t *testing.T) {
	t.Parallel()
	_, a, p := quick(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		a.AddFile(name, []byte(name))
	}
	a.LockFile("b")
	a.LockFile("d")
	for _, name := range []string{"a", "b"} {
		_, body, err := p.do(http.MethodPost, p.h.URL()+"/json-api/cpanel", form("cpanel_jsonapi_user", "ruthin", "cpanel_jsonapi_apiversion", "2", "cpanel_jsonapi_module", "Fileman", "cpanel_jsonapi_func", "fileop", "op", "unlink", "sourcefiles", "/home/ruthin/"+name))
		if err != nil || !strings.Contains(string(body), `"result":1`) {
			t.Errorf("unlink %s: %s, %v", name, body, err)
		}
	}
	p.must(nil, "Fileman::delete_file", "path", "/home/ruthin/c")
	p.must(nil, "Fileman::delete_file", "path", "/home/ruthin/d")
	if r := p.ask("Fileman::delete_file", "path", "/home/ruthin/nothing"); r.Status != 0 {
		t.Error("what is not there is deleted")
	}
	left := map[string]bool{}
	for _, name := range a.Files() {
		left[name] = true
	}
	if left["a"] || !left["b"] || left["c"] || !left["d"] {
		t.Errorf("there are %v", left)
	}
}

func TestUploadIsCut(t *testing.T) {
	t.Parallel()
	h, a, p := quick(t)
	h.Fault(cpaneltest.Fault{On: "Fileman::upload_files", DropAt: 100_000})
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	if r, err := p.upload("Fileman::upload_files", "file-0", "a.bin", content, "dir", "/home/ruthin"); err == nil {
		t.Errorf("the connection is cut, and the answer is %+v", r)
	}
	if _, ok := a.File("a.bin"); ok {
		t.Error("half a file is there")
	}
	if r, err := p.upload("Fileman::upload_files", "file-0", "a.bin", content, "dir", "/home/ruthin"); err != nil || r.Status != 1 {
		t.Errorf("the next one: %+v, %v", r, err)
	}
}
