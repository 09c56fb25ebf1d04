package cpaneltest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"keepwatch/providers/cpanel"
	"keepwatch/providers/cpanel/cpaneltest"
)

// TestServesTheContract: the fake has every call of the contract, from the version on
// that the contract names and not before.
func TestServesTheContract(t *testing.T) {
	t.Parallel()
	h := cpaneltest.New(t, cpaneltest.Config{Pace: func() {}, LockAfter: -1})
	a := h.AddAccount("ruthin")
	a.AddDatabase("ruthin_wp", "SELECT 1;\n")
	a.AddManagedBackup(time.Now())
	p, root := account(t, a, h), dial(t, h, "whm root:"+h.WHMToken("root"))
	for _, e := range cpanel.Contract() {
		a.AddFile("a.txt", []byte("a")) // one of the calls deletes it
		if said := callOf(t, e, p, root); absent(said) {
			t.Errorf("%s is not there: %.200s", e.Name(), said)
		}
		if e.Since == 0 || e.API == cpanel.Page {
			continue
		}
		h.Upgrade(fmt.Sprintf("11.%d.0.1", e.Since-1))
		if said := callOf(t, e, p, root); !absent(said) {
			t.Errorf("%s is there before version %d: %.200s", e.Name(), e.Since, said)
		}
		h.Upgrade("11.136.0.4")
	}
	if bad := h.Violations(); len(bad) > 0 {
		t.Error(bad)
	}
	h.Settle()
}

func absent(said string) bool {
	for _, sign := range []string{"Failed to load module", "could not find the function", "Could not find function", "Unknown app", "<html"} {
		if strings.Contains(said, sign) {
			return true
		}
	}
	return false
}

// callOf calls what the contract has, with something for each required parameter.
func callOf(t *testing.T, e cpanel.Endpoint, p, root *plain) string {
	t.Helper()
	known := map[string]string{
		"path": "/home/ruthin/a.txt", "dir": "/home/ruthin", "cpanel.user": "ruthin", "cpanel.module": "Quota", "cpanel.function": "get_quota_info", "user": "ruthin", "username": "ruthin",
		"service": "cpaneld", "pass": "pw-ruthin",
	}
	params := url.Values{}
	for _, name := range e.Required {
		name = strings.TrimSuffix(name, "-N")
		if params.Set(name, known[name]); known[name] == "" {
			params.Set(name, "a.txt")
		}
	}
	client, address := p, p.h.URL()
	switch e.API {
	case cpanel.UAPI:
		address += "/execute/" + e.Module + "/" + e.Function
	case cpanel.API2:
		address += "/json-api/cpanel"
		params.Set("cpanel_jsonapi_user", "ruthin")
		params.Set("cpanel_jsonapi_apiversion", "2")
		params.Set("cpanel_jsonapi_module", e.Module)
		params.Set("cpanel_jsonapi_func", e.Function)
	case cpanel.WHM:
		client, address = root, root.h.WHMURL()+"/json-api/"+e.Function
		params.Set("api.version", "1")
	case cpanel.Page:
		address += e.Function + map[string]string{
			"/getbackup/": "backup-ruthin.example-11-23-2026.tar.gz", "/getsqlbackup/": "ruthin_wp.sql.gz", "/getaliasbackup/": "aliases-ruthin.example.gz", "/getfilterbackup/": "filter-ruthin.example.gz",
		}[e.Function]
	}
	verb := http.MethodGet
	if len(e.Verbs) > 0 {
		verb = e.Verbs[0]
	}
	if e.Function == "/login/" {
		client = dial(t, p.h, "")
	}
	_, body, err := client.do(verb, address, params)
	if err != nil {
		t.Fatalf("%s: %v", e.Name(), err)
	}
	return string(body)
}
