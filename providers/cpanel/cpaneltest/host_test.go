package cpaneltest_test

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch/providers/cpanel/cpaneltest"
)

func TestEnvelopes(t *testing.T) {
	t.Parallel()
	for _, wrapped := range []bool{false, true} {
		h := cpaneltest.New(t, cpaneltest.Config{Wrapped: wrapped})
		p := account(t, h.AddAccount("ruthin"), h)
		resp, body, err := p.do(http.MethodGet, h.URL()+"/execute/Variables/get_user_information", nil)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(resp.TLS.PeerCertificates[0].Raw)
		if hex.EncodeToString(sum[:]) != h.Fingerprint() {
			t.Error("the fingerprint is another certificate's")
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(body, &all); err != nil {
			t.Fatal(err)
		}
		if _, inner := all["result"]; inner != wrapped {
			t.Errorf("wrapped %v, and the answer is %s", wrapped, body)
		}
		if _, body, _ = p.do(http.MethodGet, h.URL()+"/json-api/cpanel?cpanel_jsonapi_apiversion=3&cpanel_jsonapi_module=Quota&cpanel_jsonapi_func=get_quota_info", nil); !strings.Contains(string(body), `"result":{`) {
			t.Errorf("/json-api/cpanel answers %s", body)
		}
		if bad := h.Violations(); len(bad) > 0 {
			t.Error(bad)
		}
	}
}

func TestLoose(t *testing.T) {
	t.Parallel()
	for loose, want := range map[bool][2]string{false: {`{"dirs":[`, `"size":5`}, true: {`[{`, `"size":"5"`}} {
		h := cpaneltest.New(t, cpaneltest.Config{Loose: loose})
		a := h.AddAccount("ruthin")
		a.AddFile("a.txt", []byte("12345"))
		r := account(t, a, h).ask("Fileman::list_files", "dir", "/home/ruthin")
		for _, part := range want {
			if r.Status != 1 || !strings.Contains(string(r.Data), part) {
				t.Errorf("loose %v: %s is not in %s", loose, part, r.Data)
			}
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	h := cpaneltest.New(t, cpaneltest.Config{Version: "11.110.0.30"})
	p := account(t, h.AddAccount("ruthin"), h)
	want := map[string]string{
		"BackupInfo::list":     "Can't locate Cpanel/API/BackupInfo.pm",
		"Fileman::delete_file": "could not find the function “delete_file” in the module “Fileman”",
		"Nothing::at_all":      `Failed to load module "Nothing"`,
	}
	for name, said := range want {
		if r := p.ask(name, "path", "x"); r.Status != 0 || len(r.Errors) != 1 || !strings.Contains(r.Errors[0], said) {
			t.Errorf("%s answers %d %v, not %q", name, r.Status, r.Errors, said)
		}
	}
	h.Upgrade("11.136.0.4")
	if r := p.ask("BackupInfo::list"); r.Status != 1 {
		t.Errorf("after the upgrade: %v", r.Errors)
	}
	if r := p.ask("Backup::restore_files"); r.Status != 0 {
		t.Error("a restore of nothing goes well")
	}
}

func TestFeaturesAndRights(t *testing.T) {
	t.Parallel()
	h := cpaneltest.New(t, cpaneltest.Config{})
	a := h.AddAccount("ruthin")
	p := account(t, a, h)
	a.SetFeature("backup", false)
	if r := p.ask("Backup::fullbackup_to_homedir"); r.Status != 0 || r.Errors[0] != "You do not have the feature “backup”." {
		t.Errorf("without the feature: %+v", r)
	}
	a.SetFeature("backup", true)
	reader := dial(t, h, "cpanel ruthin:"+a.ReadOnlyToken("look"))
	if r := reader.ask("Backup::fullbackup_to_homedir"); r.Status != 0 {
		t.Error("a token that may only read starts a backup")
	}
	if r := reader.ask("Backup::list_backups"); r.Status != 1 {
		t.Errorf("a token that may read does not: %v", r.Errors)
	}
	a.SetDemo(true)
	if r := p.ask("Backup::fullbackup_to_homedir"); r.Status != 0 {
		t.Error("a demo account makes a backup")
	}
	if names := a.HomeBackups(); len(names) != 0 {
		t.Errorf("there are %v", names)
	}
	if r := p.ask("Fileman::list_files"); r.Status != 0 || !strings.Contains(r.Errors[0], "“dir”") {
		t.Errorf("without its parameter: %+v", r)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	h := cpaneltest.New(t, cpaneltest.Config{Now: func() time.Time { return now }, LockAfter: -1})
	a := h.AddAccount("ruthin")
	a.SetPassword("open sesame")
	old := a.NewToken("old", now.Add(-time.Second))
	for auth, ok := range map[string]bool{
		"cpanel ruthin:" + a.Token(): true, "cpanel ruthin:wrong": false, "cpanel other:" + a.Token(): false, "cpanel ruthin:" + old: false, "": false,
		"whm ruthin:" + a.Token(): false,
	} {
		resp, body, err := dial(t, h, auth).do(http.MethodGet, h.URL()+"/execute/Quota/get_quota_info", nil)
		if err != nil || (resp.StatusCode == 200) != ok || strings.HasPrefix(string(body), "<") == ok {
			t.Errorf("%q: %v, %v", auth, resp, err)
		}
	}
	a.RevokeTokens()
	if resp, _, _ := account(t, a, h).get("/execute/Quota/get_quota_info"); resp.StatusCode != 200 {
		t.Error("a new token after all were revoked does not work")
	}
}

// TestOneTimeCode: the codes are those of RFC 6238, appendix B, of which the last six
// digits are used.
func TestOneTimeCode(t *testing.T) {
	t.Parallel()
	now := time.Unix(1111111109, 0)
	h := cpaneltest.New(t, cpaneltest.Config{Now: func() time.Time { return now }, LockAfter: -1})
	a := h.AddAccount("ruthin")
	a.SetOTP(base32.StdEncoding.EncodeToString([]byte("12345678901234567890")))
	p := dial(t, h, "")
	login := func(code string) (int, string, *http.Cookie) {
		resp, body, err := p.do(http.MethodPost, h.URL()+"/login/?login_only=1", form("user", "ruthin", "pass", "pw-ruthin", "tfa_token", code))
		if err != nil {
			t.Fatal(err)
		}
		var said struct {
			Status int    `json:"status"`
			Token  string `json:"security_token"`
		}
		if err := json.Unmarshal(body, &said); err != nil {
			t.Fatal(err)
		}
		for _, c := range resp.Cookies() {
			return said.Status, said.Token, c
		}
		return said.Status, said.Token, nil
	}
	if status, _, _ := login(""); status != 0 {
		t.Error("no code is needed")
	}
	status, prefix, cookie := login("081804")
	if status != 1 || cookie == nil {
		t.Fatalf("the code of the RFC is refused: %d", status)
	}
	if status, _, _ := login("081804"); status != 0 {
		t.Error("a code is taken twice")
	}
	get := func(path string) int {
		resp, _, err := p.get(path, "Cookie", cookie.Name+"="+cookie.Value)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	if got := get(prefix + "/execute/Quota/get_quota_info"); got != 200 {
		t.Errorf("the session gets %d", got)
	}
	if got := get("/execute/Quota/get_quota_info"); got != 401 {
		t.Errorf("without its prefix it gets %d", got)
	}
	now = now.Add(16 * time.Minute)
	if got := get(prefix + "/execute/Quota/get_quota_info"); got != 401 {
		t.Errorf("after 16 idle minutes it gets %d", got)
	}
}

func TestLockedOut(t *testing.T) {
	t.Parallel()
	h := cpaneltest.New(t, cpaneltest.Config{LockAfter: 3})
	a := h.AddAccount("ruthin")
	bad := dial(t, h, "cpanel ruthin:wrong")
	for range 3 {
		if resp, _, err := bad.get("/execute/Quota/get_quota_info"); err != nil || resp.StatusCode != 401 {
			t.Fatalf("a wrong token: %v, %v", resp, err)
		}
	}
	if resp, _, err := account(t, a, h).get("/execute/Quota/get_quota_info"); err != nil || resp.StatusCode != 401 {
		t.Errorf("after three wrong ones a right one gets %v, %v", resp, err)
	}
	if h.Refused() < 3 {
		t.Errorf("%d were refused", h.Refused())
	}
}

func TestPasswordInHeader(t *testing.T) {
	t.Parallel()
	h := cpaneltest.New(t, cpaneltest.Config{})
	h.AddAccount("ruthin")
	p := dial(t, h, "Basic "+basic("ruthin:pw-ruthin"))
	if r := p.ask("Quota::get_quota_info"); r.Status != 1 {
		t.Errorf("by password: %+v", r)
	}
	if c := h.Calls()[0]; c.Auth != "password" || c.User != "ruthin" {
		t.Errorf("the call is %+v", c)
	}
}

func TestCallsAndViolations(t *testing.T) {
	t.Parallel()
	h := cpaneltest.New(t, cpaneltest.Config{})
	a := h.AddAccount("ruthin")
	p := account(t, a, h)
	p.must(nil, "Quota::get_quota_info")
	p.must(nil, "Fileman::list_files", "dir", "/home/ruthin", "api.paginate", "1")
	if bad := h.Violations(); len(bad) > 0 {
		t.Fatal(bad)
	}
	p.ask("Fileman::list_files", "dri", "/home/ruthin")
	p.ask("Backup::create_backup")
	if _, _, err := p.get("/execute/Backup/fullbackup_to_ftp?" + url.Values{"host": {"h"}, "username": {"u"}, "password": {"hunter2"}}.Encode()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"POST Fileman::list_files: dir is missing", "POST Fileman::list_files: dri is not in the contract", "POST Backup::create_backup of UAPI is not in the contract",
		"GET /execute/Backup/fullbackup_to_ftp has the secret password in its address, where logs show it", "GET Backup::fullbackup_to_ftp: it carries secrets, which an address must not",
	}
	if diff := cmp.Diff(want, h.Violations()); diff != "" {
		t.Error(diff)
	}
	calls := h.CallsTo("Backup::fullbackup_to_ftp")
	if len(calls) != 1 || calls[0].Params.Get("password") != "<secret>" || calls[0].Params.Get("host") != "h" || calls[0].Status != 200 {
		t.Errorf("the call is kept as %+v", calls)
	}
	if c := h.Calls()[0]; c.String() != "POST Quota::get_quota_info 200" || c.Auth != "token" {
		t.Errorf("the first is %s, %+v", c, c)
	}
}

// TestDocumentedCalls: the calls of the documents' own samples, by curl: a token in the
// header, GET and POST of UAPI, a file as multipart, WHM API 1, and a sign-in that is
// remembered.
func TestDocumentedCalls(t *testing.T) {
	t.Parallel()
	h, a, _ := quick(t)
	a.AddDatabase("ruthin_wp", "")
	dir := t.TempDir()
	dump, jar := filepath.Join(dir, "ruthin_wp.sql.gz"), filepath.Join(dir, "jar")
	if err := os.WriteFile(dump, zipText("SELECT 1;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token, root := "Authorization: cpanel ruthin:"+a.Token(), "Authorization: whm root:"+h.WHMToken("root")
	curl := func(want string, args ...string) string {
		t.Helper()
		out := string(curl(t, h, args...))
		if !strings.Contains(out, want) {
			t.Errorf("curl %v gives %s", args[len(args)-1], out)
		}
		return out
	}
	curl(`"dirs":[`, "-H", token, h.URL()+"/execute/Fileman/list_files?dir=%2Fhome%2Fruthin")
	curl(`"status":1`, "-H", token, "-d", "dir=/home/ruthin", "-d", "types=dir", h.URL()+"/execute/Fileman/list_files")
	curl(`"status":1`, "-H", token, "-F", "file=@"+dump, h.URL()+"/execute/Backup/restore_databases?verbose=1")
	if a.Database("ruthin_wp") != "SELECT 1;\n" {
		t.Errorf("the database is %q", a.Database("ruthin_wp"))
	}
	curl(`"version":"11.136.0.4"`, "-H", root, h.WHMURL()+"/json-api/version?api.version=1")
	said := curl(`"security_token":"/cpsess`, "-c", jar, "-d", "user=ruthin&pass=pw-ruthin", h.URL()+"/login/?login_only=1")
	prefix := regexp.MustCompile(`/cpsess\d+`).FindString(said)
	curl(`"megabyte_limit":0.00`, "-b", jar, h.URL()+prefix+"/execute/Quota/get_quota_info")
}

// curl runs curl, which trusts the host by its certificate's file, and gives what it
// prints. Where curl is missing the test is skipped, and with CI=true it fails.
func curl(t *testing.T, h *cpaneltest.Host, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	out, err := exec.CommandContext(t.Context(), "curl", append([]string{"--silent", "--show-error", "--fail", "--noproxy", "*", "--cacert", h.CAFile()}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v, %s", err, out)
	}
	return out
}

func TestRenewedCertificate(t *testing.T) {
	t.Parallel()
	h := cpaneltest.New(t, cpaneltest.Config{CertificateEnd: time.Now().Add(time.Hour)})
	a := h.AddAccount("ruthin")
	p, before := account(t, a, h), h.Fingerprint()
	p.must(nil, "Quota::get_quota_info")
	if err := h.RenewCertificate(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.get("/execute/Quota/get_quota_info"); err == nil || h.Fingerprint() == before {
		t.Errorf("the old certificate is still there: %v", err)
	}
	account(t, a, h).must(nil, "Quota::get_quota_info")
	if err := h.RenewCertificate(time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := account(t, a, h).get("/execute/Quota/get_quota_info"); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("it has run out, and %v", err)
	}
}
