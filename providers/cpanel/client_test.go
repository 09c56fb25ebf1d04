package cpanel

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keepwatch"
)

func TestNewClientRefuses(t *testing.T) {
	token := keepwatch.NewSecret(testToken)
	for _, tc := range []struct {
		name    string
		account keepwatch.Hosting
		want    string
	}{
		{"no address", keepwatch.Hosting{User: "u", Token: token}, "has the form https://host:2083"},
		{"http", keepwatch.Hosting{URL: "http://h:2083", User: "u", Token: token}, "not https"},
		{"2082", keepwatch.Hosting{URL: "https://h:2082", User: "u", Token: token}, "clear-text port"},
		{"2086", keepwatch.Hosting{URL: "https://h:2086", User: "u", Token: token}, "clear-text port"},
		{"2095", keepwatch.Hosting{URL: "https://h:2095", User: "u", Token: token}, "clear-text port"},
		{"password in the address", keepwatch.Hosting{URL: "https://u:" + testPassword + "@h:2083", User: "u", Token: token}, "no user or password"},
		{"no user", keepwatch.Hosting{URL: "https://h:2083", Token: token}, "Add user:"},
		{"no sign-in", keepwatch.Hosting{URL: "https://h:2083", User: "u"}, "Add token:"},
		{"WHM without a token", keepwatch.Hosting{URL: "https://h:2087", User: "u", WHM: "root", Password: token}, "Add token:"},
		{"no authorities", keepwatch.Hosting{URL: "https://h", User: "u", Token: token, CA: "nowhere.pem"}, "Correct ca:"},
		{"SFTP without a host key", keepwatch.Hosting{URL: "https://h", User: "u", Token: token, SFTP: &keepwatch.SFTP{Key: "k"}}, "has no host_key"},
		{"SFTP with a broken host key", keepwatch.Hosting{URL: "https://h", User: "u", Token: token, SFTP: &keepwatch.SFTP{Key: "k", HostKey: "ssh-ed25519 x"}}, "not a key as in known_hosts"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := newClient(tc.account, nil, time.Now)
			wants(t, err, keepwatch.KindInvalid, tc.want)
		})
	}
	c, err := newClient(keepwatch.Hosting{URL: "https://h.example", User: "u", Token: token, WHM: "root"}, nil, time.Now)
	if err != nil || c.base.Host != "h.example:2087" {
		t.Errorf("the port of WHM by default: %v, %v", c.base, err)
	}
}

func TestUAPI(t *testing.T) {
	for _, tc := range []struct {
		name, answer string
		want         string // of the data
		said         string // of the refusal
	}{
		{"flat", `{"status":1,"data":{"pid":"2857"},"errors":null,"messages":null,"warnings":null,"metadata":{}}`, "2857", ""},
		{"wrapped", `{"apiversion":3,"module":"Backup","func":"x","result":{"status":1,"data":{"pid":2857},"errors":null}}`, "2857", ""},
		{"loose status", `{"status":"1","data":{"pid":"1"}}`, "1", ""},
		{"no data", `{"status":1,"data":null}`, "", ""},
		{"refused", `{"status":0,"data":null,"errors":["No room.","None at all."]}`, "", "No room. None at all."},
		{"refused, errors a string", `{"status":"0","errors":"No room."}`, "", "No room."},
		{"refused, errors null", `{"status":0,"errors":null}`, "", "does not say why"},
		{"refused, wrapped", `{"result":{"status":0,"errors":["No room."]}}`, "", "No room."},
		{"feature off", `{"status":0,"errors":["You do not have the feature “backup”."]}`, "", "switch it on"},
		{"echoes a secret", `{"status":0,"errors":["` + testToken + ` is bad"]}`, "", "<secret> is bad"},
		{"no status", `{"data":{"pid":"1"}}`, "", "does not say why"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newTestHost(t)
			h.answer("/execute/Backup/fullbackup_to_homedir", tc.answer)
			var data struct{ PID text }
			err := testClient(t, h.account(), nil).uapi(soon(t), "Backup", "fullbackup_to_homedir", nil, &data)
			if tc.said != "" {
				wants(t, err, keepwatch.KindAttention, tc.said)
				var refusal *callError
				if !errors.As(err, &refusal) || isRefused(err) || mayHaveArrived(err) {
					t.Errorf("not a plain refusal: %v", err)
				}
				return
			}
			if err != nil || string(data.PID) != tc.want {
				t.Errorf("%q, %v", data.PID, err)
			}
		})
	}
}

func TestAnswersThatCannotBeRead(t *testing.T) {
	for _, answer := range []string{``, `{`, `{"status":1,"data":[`, `[]`, `{"status":1,"data":{"pid":{}}}`, "\x00\x01"} {
		h := newTestHost(t)
		h.answer("/execute/Backup/fullbackup_to_homedir", answer)
		var data struct{ PID text }
		err := testClient(t, h.account(), nil).uapi(soon(t), "Backup", "fullbackup_to_homedir", nil, &data)
		wants(t, err, keepwatch.KindTransient, "cannot be read")
		if !mayHaveArrived(err) {
			t.Errorf("%q: the backup may have been started", answer)
		}
	}
}

func TestAPI2AndWHM(t *testing.T) {
	h := newTestHost(t)
	h.mux.HandleFunc("/json-api/cpanel", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "whm root:"+testToken {
			t.Errorf("signed as %s", r.Header.Get("Authorization"))
		}
		if r.FormValue("cpanel_jsonapi_user") != "ruthin" || r.FormValue("cpanel_jsonapi_apiversion") != "2" {
			t.Errorf("asked for %v", r.Form)
		}
		if r.FormValue("cpanel_jsonapi_module") == "Fileman" {
			_, _ = io.WriteString(w, `{"cpanelresult":{"apiversion":2,"event":{"result":1},"data":[],"error":"No such file."}}`)
			return
		}
		_, _ = io.WriteString(w, `{"cpanelresult":{"apiversion":2,"event":{"result":1},"data":[{"file":"backup-1.2.2026_03-04-05_ruthin.tar.gz"}]}}`)
	})
	h.mux.HandleFunc("/json-api/uapi_cpanel", func(w http.ResponseWriter, r *http.Request) {
		if got := r.FormValue("cpanel.user") + r.FormValue("cpanel.module") + r.FormValue("cpanel.function") + r.FormValue("api.version") + r.FormValue("dir"); got != "ruthinFilemanlist_files1/home/ruthin" {
			t.Errorf("asked for %s", got)
		}
		_, _ = io.WriteString(w, `{"data":{"uapi":{"status":1,"data":[{"file":"a"}]}},"metadata":{"result":1,"reason":"OK"}}`)
	})
	h.answer("/json-api/version", `{"data":{"version":"11.136.0.4"},"metadata":{"result":"1","reason":"OK"}}`)
	h.answer("/json-api/backup_set_list_combined", `{"metadata":{"result":0,"reason":"Unknown app (\"backup_set_list_combined\") requested for this version (1) of the API."}}`)
	h.mux.HandleFunc("/json-api/accountsummary", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"metadata":{"result":0,"reason":"You do not have the right to list accounts."}}`)
	})
	account := h.account()
	account.WHM = "root"
	c, ctx := testClient(t, account, nil), soon(t)
	var files []struct{ File string }
	if err := c.api2(ctx, "Backups", "listfullbackups", nil, &files); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	wants(t, c.api2(ctx, "Fileman", "fileop", url.Values{"op": {"unlink"}, "sourcefiles": {"/home/ruthin/x"}}, nil), keepwatch.KindAttention, "No such file.")
	if err := c.uapi(ctx, "Fileman", "list_files", url.Values{"dir": {"/home/ruthin"}}, &files); err != nil || files[0].File != "a" {
		t.Errorf("%v, %v", files, err)
	}
	if err := c.whm(ctx, "backup_set_list_combined", nil, nil); !isAbsent(err) {
		t.Errorf("not seen to be absent: %v", err)
	}
	err := c.whm(ctx, "accountsummary", nil, nil)
	wants(t, err, keepwatch.KindAttention, "Give the token the right")
	if !isRefused(err) {
		t.Error("a missing right is no refusal")
	}
	if v, err := c.version(ctx); err != nil || !v.atLeast(136) || v.atLeast(137) { // a missing right is not remembered
		t.Errorf("%v, %v", v, err)
	}
}

func TestVersion(t *testing.T) {
	for said, want := range map[string]string{"11.110.0.30": "11.110.0.30", "134.0 (build 45)": "11.134.0.45", "11.136": "11.136", "": "", "none": ""} {
		if got := readVersion(said).String(); got != want {
			t.Errorf("%q is %q, want %q", said, got, want)
		}
	}
	h := newTestHost(t)
	h.answer("/execute/StatsBar/get_stats", `{"status":1,"data":[{"name":"hostname","value":"11.1"},{"name":"cpanelversion","value":"134.0 (build 45)"}]}`)
	// Where it is not among the statistics.
	for server, want := range map[string]string{"11.120.0.9": "11.120.0.9", "5.14.0": ""} {
		other := newTestHost(t)
		other.answer("/execute/StatsBar/get_stats", `{"status":1,"data":[]}`)
		other.answer("/execute/Variables/get_server_information", `{"status":1,"data":{"version":"`+server+`"}}`)
		if v, err := testClient(t, other.account(), nil).version(soon(t)); v.String() != want || (err != nil) != (want == "") {
			t.Errorf("%s is read as %v, %v", server, v, err)
		}
	}
	clock := &clock{at: time.Now()}
	c := testClient(t, h.account(), clock.now)
	for range 3 {
		if v, err := c.version(soon(t)); err != nil || !v.atLeast(134) || v.atLeast(136) {
			t.Errorf("%v, %v", v, err)
		}
	}
	if n := h.count("get_stats"); n != 1 {
		t.Errorf("asked %d times within the hour", n)
	}
	clock.add(versionTime)
	_, _ = c.version(soon(t))
	if n := h.count("get_stats"); n != 2 {
		t.Errorf("asked %d times after the hour", n)
	}
	// A function that is gone says that the host may have another version.
	h.answer("/execute/BackupInfo/list", `{"status":0,"errors":["Failed to load module “BackupInfo”"]}`)
	if err := c.uapi(soon(t), "BackupInfo", "list", nil, nil); !isAbsent(err) {
		t.Error(err)
	}
	_, _ = c.version(soon(t))
	if n := h.count("get_stats"); n != 3 {
		t.Errorf("asked %d times after a function was gone", n)
	}
}

func TestIsAbsent(t *testing.T) {
	for said, want := range map[string]bool{
		"Failed to load module “BackupInfo”: Can't locate Cpanel/API/BackupInfo.pm in @INC": true,
		"The system could not find the function “delete_file” in the module “Fileman”.":     true,
		`Unknown app ("x") requested for this version (1) of the API.`:                      true,
		"You do not have the feature “backup”.":                                             false,
		"No such file or directory":                                                         false,
	} {
		if got := isAbsent(&callError{Status: 200, Said: []string{said}}); got != want {
			t.Errorf("%s: %v", said, got)
		}
	}
	if !isAbsent(&callError{Status: 404}) || isAbsent(&callError{Status: 200, login: true}) || isAbsent(io.EOF) {
		t.Error("by the status")
	}
}

// TestOneAtATime: calls take turns, and a long one lets others pass but not another
// long one.
func TestOneAtATime(t *testing.T) {
	h := newTestHost(t)
	var now, most atomic.Int64
	h.mux.HandleFunc("/execute/Quota/get_quota_info", func(w http.ResponseWriter, _ *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		_, _ = io.WriteString(w, `{"status":1}`)
	})
	begun, end := make(chan struct{}, 2), make(chan struct{})
	h.mux.HandleFunc("/execute/Backup/restore_files", func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-end
		_, _ = io.WriteString(w, `{"status":1}`)
	})
	c := testClient(t, h.account(), nil)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if err := c.uapiLong(soon(t), 0, "Backup", "restore_files", url.Values{"backup": {"x"}}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	<-begun
	for range 10 {
		all.Go(func() {
			if err := c.uapi(soon(t), "Quota", "get_quota_info", nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	if err := c.uapi(soon(t), "Quota", "get_quota_info", nil, nil); err != nil {
		t.Error(err)
	}
	if n := h.count("restore_files"); n != 1 {
		t.Errorf("%d long calls at a time", n)
	}
	close(end)
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d calls at a time", most.Load())
	}
}

func TestLimitOfALongCall(t *testing.T) {
	h := newTestHost(t)
	h.mux.HandleFunc("/execute/Backup/restore_files", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	err := testClient(t, h.account(), nil).uapiLong(soon(t), 50*time.Millisecond, "Backup", "restore_files", nil, nil)
	wants(t, err, keepwatch.KindTransient, "did not answer in time")
	if !mayHaveArrived(err) {
		t.Error("the host is at it")
	}
}
