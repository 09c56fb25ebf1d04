package cpaneltest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch/providers/cpanel/cpaneltest"
)

// TestOthersClients has other people's clients talk to the host: they know from
// elsewhere than we do how one signs in, where functions are, and which envelopes come
// back. The packages are in testdata/clients, and lie in the folder cpanel of
// $KEEPWATCH_NODE.
func TestOthersClients(t *testing.T) {
	t.Parallel()
	packages := filepath.Join(os.Getenv("KEEPWATCH_NODE"), "cpanel")
	if _, err := os.Stat(filepath.Join(packages, "node_modules", "cpanel-lib")); err != nil || os.Getenv("KEEPWATCH_NODE") == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI must have the clients of testdata/clients: %v", err)
		}
		t.Skip("KEEPWATCH_NODE has no folder cpanel with the clients of testdata/clients")
	}
	h := cpaneltest.New(t, cpaneltest.Config{Version: "11.110.0.30"})
	a := h.AddAccount("ruthin")
	a.AddDatabase("ruthin_wp", cpaneltest.Statements(10))
	a.SetQuota(10<<20, 100<<20)
	a.AddManagedBackup(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC))
	old := cpaneltest.BackupName("ruthin", time.Date(2026, 11, 9, 3, 0, 0, 0, time.UTC))
	a.AddFile(old, []byte("old"))
	got := drivePeer(t, h, packages, old)
	for name, want := range map[string][]string{
		"user":      {`"status":1`, `"user":"ruthin"`, `"domain":"ruthin.example"`},
		"dates":     {`"data":["2026-11-20T00:00:00.000Z"]`},
		"begun":     {`"status":1`, `"pid":"`},
		"absent":    {`"status":0`, `"errors":["`, `no_such_function`},
		"stranger":  {`Format request not valid`}, // which is what cpanel-lib makes of a login page
		"pending":   {`"cpanelresult"`, `"event":{"result":1}`, `"func":"listfullbackups"`, old},
		"unlink":    {`"cpanelresult"`, `"event":{"result":1}`},
		"version0":  {`"version":"11.110.0.30"`, `"result":1`},
		"version":   {`"version":"11.110.0.30"`},
		"accounts":  {`"acct":[`, `"user":"ruthin"`},
		"unknown":   {`"error":"`, `nobody`},
		"databases": {`"database":"ruthin_wp"`},
		"quota":     {`"megabyte_limit":`, `100`},
		"missing":   {`"error":"`, `none`},
	} {
		for _, w := range want {
			if !strings.Contains(got[name], w) {
				t.Errorf("%s has no %s: %s", name, w, got[name])
			}
		}
	}
	if len(got) != 14 {
		t.Errorf("%d answers", len(got))
	}
	if _, there := a.File(old); there {
		t.Errorf("%s is still there", old)
	}
	h.Settle()
	if left := a.HomeBackups(); len(left) != 1 || left[0] == old {
		t.Errorf("the home has %q", left)
	}
	if mails := h.Mails(); len(mails) != 1 || mails[0].To != "alis@contoso.example" {
		t.Errorf("%+v", mails)
	}
}

// drivePeer runs the clients, and gives what each call gave, as JSON, by its name.
func drivePeer(t *testing.T, h *cpaneltest.Host, packages, backup string) map[string]string {
	t.Helper()
	port := func(address string) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return u.Port()
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "clients", "driver.mjs"), packages, port(h.URL()), port(h.WHMURL()), h.WHMToken("root"), backup)
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+h.CAFile(), "NO_PROXY=*", "HTTPS_PROXY=", "https_proxy=")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said.Bytes())
	}
	all := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var line struct {
			Name string
			Got  json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		all[line.Name] = string(line.Got)
	}
	return all
}
