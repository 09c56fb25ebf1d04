package cpaneltest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"keepwatch/providers/cpanel/cpaneltest"
)

// whm calls a function of WHM API 1 and gives its data, or the reason why not.
func (p *plain) whm(function string, params ...string) (map[string]any, string) {
	p.t.Helper()
	v := form(params...)
	v.Set("api.version", "1")
	_, body, err := p.do(http.MethodGet, p.h.WHMURL()+"/json-api/"+function, v)
	if err != nil {
		p.t.Fatal(err)
	}
	var r struct {
		Data     map[string]any
		Metadata struct {
			Reason string
			Result int
		}
	}
	if err := json.Unmarshal(body, &r); err != nil {
		p.t.Fatalf("%s: %v in %.200s", function, err, body)
	}
	if r.Metadata.Result != 1 {
		return nil, r.Metadata.Reason
	}
	return r.Data, ""
}

func withWHM(t *testing.T) (*cpaneltest.Host, *cpaneltest.Account, *plain) {
	t.Helper()
	h, a, _ := quick(t)
	return h, a, dial(t, h, "whm root:"+h.WHMToken("root"))
}

func TestWHM(t *testing.T) {
	t.Parallel()
	h, a, p := withWHM(t)
	if data, _ := p.whm("version"); data["version"] != "11.136.0.4" {
		t.Errorf("the version is %v", data)
	}
	data, _ := p.whm("uapi_cpanel", "cpanel.user", "ruthin", "cpanel.module", "Fileman", "cpanel.function", "list_files", "dir", "/home/ruthin")
	inner, _ := data["uapi"].(map[string]any)
	if inner["status"] != 1.0 || inner["data"] == nil {
		t.Errorf("uapi_cpanel gives %v", data)
	}
	if _, why := p.whm("uapi_cpanel", "cpanel.user", "nobody", "cpanel.module", "Quota", "cpanel.function", "get_quota_info"); why == "" {
		t.Error("nobody has a quota")
	}
	h.Fault(cpaneltest.Fault{On: "Quota::get_quota_info", Error: "The system is busy."})
	data, _ = p.whm("uapi_cpanel", "cpanel.user", "ruthin", "cpanel.module", "Quota", "cpanel.function", "get_quota_info")
	if inner, _ = data["uapi"].(map[string]any); inner["status"] != 0.0 {
		t.Errorf("the fault of the inner function does not come through: %v", data)
	}
	_, body, err := p.do(http.MethodGet, h.WHMURL()+"/json-api/cpanel", form("cpanel_jsonapi_user", "ruthin", "cpanel_jsonapi_apiversion", "2", "cpanel_jsonapi_module", "Backups", "cpanel_jsonapi_func", "listfullbackups"))
	if err != nil || !strings.Contains(string(body), `"event":{"result":1}`) {
		t.Errorf("API 2 by WHM: %s, %v", body, err)
	}
	if _, why := p.whm("accountsummary", "user", "nobody"); why == "" {
		t.Error("nobody is there")
	}
	for url, auth := range map[string]string{h.WHMURL(): "cpanel ruthin:" + a.Token(), h.URL(): p.auth} {
		if resp, body, err := dial(t, h, auth).do(http.MethodGet, url+"/json-api/version?api.version=1", nil); err != nil || resp.StatusCode != 401 || bytes.HasPrefix(body, []byte("{")) {
			t.Errorf("at the wrong port: %v, %v", resp, err)
		}
	}
	if resp, _, err := account(t, a, h).get("/json-api/version?api.version=1"); err != nil || resp.StatusCode != 403 {
		t.Errorf("a function of WHM at the port of cPanel: %v, %v", resp, err)
	}
}

func TestUnknownToWHM(t *testing.T) {
	t.Parallel()
	h := cpaneltest.New(t, cpaneltest.Config{})
	p := dial(t, h, "whm root:"+h.WHMToken("root"))
	if _, why := p.whm("csf_allow"); why != `Unknown app ("csf_allow") requested for this version (1) of the API.` {
		t.Errorf("the reason is %q", why)
	}
	if bad := h.Violations(); len(bad) != 1 {
		t.Errorf("the contract is broken by %v", bad)
	}
}

func TestUserSession(t *testing.T) {
	t.Parallel()
	h, a, p := withWHM(t)
	a.AddFile("a.bin", []byte("content"))
	data, why := p.whm("create_user_session", "user", "ruthin", "service", "cpaneld")
	if why != "" {
		t.Fatal(why)
	}
	address, prefix := data["url"].(string), data["cp_security_token"].(string)
	if u, err := url.Parse(address); err != nil || !strings.HasPrefix(address, h.URL()+prefix+"/") || u.Query().Get("session") != data["session"] {
		t.Errorf("the address is %s", address)
	}
	visitor := dial(t, h, "")
	resp, _, err := visitor.do(http.MethodGet, address, nil)
	if err != nil || resp.StatusCode != 301 || len(resp.Cookies()) != 1 {
		t.Fatalf("the first visit: %v, %v", resp, err)
	}
	cookie := resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value
	if again, _, _ := visitor.do(http.MethodGet, address, nil); again.StatusCode != 401 {
		t.Errorf("the second visit: %d", again.StatusCode)
	}
	resp, body, err := visitor.get(prefix+"/download?skipencode=1&file=%2Fhome%2Fruthin%2Fa.bin", "Cookie", cookie)
	if err != nil || string(body) != "content" {
		t.Errorf("by session: %v, %q, %v", resp, body, err)
	}
	h.EndSessions()
	if resp, _, _ := visitor.get(prefix+"/download?file=a.bin", "Cookie", cookie); resp.StatusCode != 401 {
		t.Errorf("after the sessions have ended: %d", resp.StatusCode)
	}
}

func TestPackAndTransfer(t *testing.T) {
	t.Parallel()
	h, a, p := withWHM(t)
	a.AddFile("public_html/a.txt", []byte("a"))
	a.AddDatabase("ruthin_wp", cpaneltest.Statements(20))
	a.AddForwarder("ruthin.example", "info", "alis@contoso.example")
	before, dump, mail := a.Files(), a.Database("ruthin_wp"), a.Forwarders("ruthin.example")
	data, why := p.whm("start_background_pkgacct", "user", "ruthin")
	if why != "" {
		t.Fatal(why)
	}
	id := data["session_id"].(string)
	h.Settle()
	if data, _ := p.whm("get_pkgacct_session_state", "session_id", id); data["state"] != "COMPLETED" {
		t.Errorf("the state is %v", data)
	}
	if data, _ := p.whm("fetch_pkgacct_master_log", "session_id", id); !strings.Contains(data["log"].(string), "pkgacct completed") {
		t.Errorf("the log is %v", data)
	}
	list, _ := p.whm("list_cparchive_files")
	if text, _ := json.Marshal(list); !strings.Contains(string(text), `"file":"cpmove-ruthin.tar.gz"`) {
		t.Errorf("the archives are %s", text)
	}
	a.Empty()
	if _, why := p.whm("start_local_cpmove_restore", "cpmovepath", "/home/cpmove-ruthin.tar.gz", "username", "ruthin"); why == "" {
		t.Error("an account is overwritten without a word")
	}
	data, why = p.whm("start_local_cpmove_restore", "cpmovepath", "/home/cpmove-ruthin.tar.gz", "username", "ruthin", "overwrite", "1")
	if why != "" {
		t.Fatal(why)
	}
	id = data["transfer_session_id"].(string)
	h.Settle()
	if data, _ := p.whm("get_transfer_session_state", "transfer_session_id", id); data["state_name"] != "COMPLETED" {
		t.Errorf("the state is %v", data)
	}
	if data, _ := p.whm("fetch_transfer_session_log", "transfer_session_id", id, "logfile", "master.log"); !strings.Contains(data["log"].(string), `"action":"success-item"`) {
		t.Errorf("the log is %v", data)
	}
	if data, _ := p.whm("fetch_transfer_session_log", "transfer_session_id", id, "logfile", "item-RESTORE_AccountLocal_ruthin"); !strings.Contains(data["log"].(string), "Completed") {
		t.Errorf("the log of the account is %v", data)
	}
	if got := a.Files(); strings.Join(got, " ") != strings.Join(before, " ") || a.Database("ruthin_wp") != dump || strings.Join(a.Forwarders("ruthin.example"), " ") != strings.Join(mail, " ") {
		t.Errorf("the account has %v and %v", got, a.Forwarders("ruthin.example"))
	}
	h.Fault(cpaneltest.Fault{On: "start_local_cpmove_restore", RestoreFails: "The disk is full."})
	data, _ = p.whm("start_local_cpmove_restore", "cpmovepath", "/home/cpmove-ruthin.tar.gz", "username", "ruthin", "overwrite", "1")
	h.Settle()
	id = data["transfer_session_id"].(string)
	if data, _ := p.whm("get_transfer_session_state", "transfer_session_id", id); data["state_name"] != "COMPLETED" {
		t.Errorf("the state is %v", data)
	}
	if data, _ := p.whm("fetch_transfer_session_log", "transfer_session_id", id, "logfile", "master.log"); !strings.Contains(data["log"].(string), `"failure":"The disk is full."`) {
		t.Errorf("the log is %v", data)
	}
}
