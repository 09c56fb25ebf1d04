package cpaneltest_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch/providers/cpanel/cpaneltest"
)

// manual is a host at a known time whose steps the test makes.
func manual(t *testing.T, version string) (*cpaneltest.Host, *cpaneltest.Account, *plain) {
	t.Helper()
	now := time.Date(2026, 3, 7, 4, 5, 6, 0, time.UTC)
	h := cpaneltest.New(t, cpaneltest.Config{Version: version, Steps: true, Now: func() time.Time { return now }})
	a := h.AddAccount("ruthin")
	a.AddDatabase("ruthin_wp", cpaneltest.Statements(50))
	a.AddForwarder("ruthin.example", "info", "alis@contoso.example")
	return h, a, account(t, a, h)
}

// backup is what BackupInfo::list says of one.
type backup struct {
	Name      string `json:"name"`
	SizeBytes int64  `json:"sizeBytes"`
	Status    string `json:"status"`
}

type progress struct {
	State   string `json:"state"`
	Current int64  `json:"currentBytes"`
	Percent int    `json:"estimatedPercent"`
}

func TestFullBackupGrows(t *testing.T) {
	t.Parallel()
	h, a, p := manual(t, "")
	var started struct{ PID string }
	p.must(&started, "Backup::fullbackup_to_homedir", "email", "ops@contoso.example")
	if started.PID == "" {
		t.Error("no pid is answered")
	}
	// 04:05:06 UTC on 7 March is the evening before in the server's own zone.
	const name = "backup-3.6.2026_22-05-06_ruthin.tar.gz"
	if all := a.HomeBackups(); len(all) != 0 {
		t.Errorf("before the first step there are %v", all)
	}
	var sizes []int64
	for range 7 {
		h.Step()
		var list []backup
		var at progress
		p.must(&list, "BackupInfo::list")
		p.must(&at, "BackupInfo::progress")
		if len(list) != 1 || list[0].Name != name || at.Current != list[0].SizeBytes {
			t.Fatalf("there is %+v, %+v", list, at)
		}
		sizes = append(sizes, list[0].SizeBytes)
		if list[0].Status != "inprogress" || at.State != "inprogress" || at.Percent > 99 {
			t.Errorf("while it grows: %+v, %+v", list, at)
		}
	}
	if !slices.IsSorted(sizes) || sizes[0] == sizes[6] {
		t.Errorf("it grows as %v", sizes)
	}
	h.Step()
	h.Settle()
	var list []backup
	var at progress
	p.must(&list, "BackupInfo::list")
	p.must(&at, "BackupInfo::progress")
	if list[0].Status != "ready" || at.State != "complete" || at.Percent != 100 {
		t.Errorf("at its end: %+v, %+v", list, at)
	}
	p.must(nil, "BackupInfo::reset")
	if p.must(&at, "BackupInfo::progress"); at.State != "none" {
		t.Errorf("after the reset: %+v", at)
	}
	if mails := h.Mails(); len(mails) != 1 || mails[0].To != "ops@contoso.example" {
		t.Errorf("the letters are %+v", mails)
	}
	data, ok := a.File(name)
	if !ok {
		t.Fatal("it is not there")
	}
	members := unpack(t, data)
	for _, want := range []string{"version", "cp/ruthin", "homedir_paths", "homedir/public_html/index.html", "mysql/ruthin_wp.sql", "mysql/ruthin_wp.create", "mysql.sql", "va/ruthin.example", "dnszones/ruthin.example.db", "userdata/main", "quota", "shell", "shadow"} {
		if _, ok := members["backup-3.6.2026_22-05-06_ruthin/"+want]; !ok {
			t.Errorf("%s is missing", want)
		}
	}
	if dump := members["backup-3.6.2026_22-05-06_ruthin/mysql/ruthin_wp.sql"]; !strings.Contains(dump, a.Database("ruthin_wp")) || !strings.Contains(dump, "-- Dump completed on 2026-03-06 22:05:06\n") {
		t.Errorf("the dump ends in %q", dump[max(len(dump)-200, 0):])
	}
	if bad := broken(h); len(bad) > 0 {
		t.Error(bad)
	}
}

// unpack reads an archive with nothing of what made it.
func unpack(t *testing.T, data []byte) map[string]string {
	t.Helper()
	all, err := members(data)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func members(data []byte) (map[string]string, error) {
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	in := tar.NewReader(zip)
	for {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(head.Name, "/")] = string(content)
	}
	_, err = io.Copy(io.Discard, zip) // to the checksum
	return all, err
}

func TestFullBackupOfOldVersion(t *testing.T) {
	t.Parallel()
	h, _, p := manual(t, "11.110.0.30")
	p.must(nil, "Backup::fullbackup_to_homedir", "homedir", "skip")
	h.Step()
	status := func() string {
		_, body, err := p.get("/json-api/cpanel?cpanel_jsonapi_user=ruthin&cpanel_jsonapi_apiversion=2&cpanel_jsonapi_module=Backups&cpanel_jsonapi_func=listfullbackups")
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if got := status(); !strings.Contains(got, `"status":"inprogress"`) || !strings.Contains(got, `"cpanelresult"`) {
		t.Errorf("while it grows: %s", got)
	}
	for range 7 {
		h.Step()
	}
	h.Settle()
	if got := status(); !strings.Contains(got, `"status":"complete"`) {
		t.Errorf("at its end: %s", got)
	}
}

func TestFullBackupComesToGrief(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault         cpaneltest.Fault
		size          int64 // -1: no file
		status, state string
	}{
		"stalls":   {cpaneltest.Fault{StallAt: 700}, 700, "inprogress", "inprogress"},
		"vanishes": {cpaneltest.Fault{VanishAt: 700}, -1, "", "none"},
		"full":     {cpaneltest.Fault{FullAt: 700}, 700, "ready", "none"},
		"timeout":  {cpaneltest.Fault{Timeout: 700}, 700, "timeout", "timeout"},
		"never":    {cpaneltest.Fault{Never: true}, -1, "", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := cpaneltest.New(t, cpaneltest.Config{Pace: func() {}})
			a := h.AddAccount("ruthin")
			p := account(t, a, h)
			c.fault.On = "Backup::fullbackup_to_homedir"
			h.Fault(c.fault)
			p.must(nil, "Backup::fullbackup_to_homedir", "email", "ops@contoso.example")
			h.Settle()
			var list []backup
			var at progress
			p.must(&list, "BackupInfo::list")
			p.must(&at, "BackupInfo::progress")
			size, status := int64(-1), ""
			if len(list) > 0 {
				size, status = list[0].SizeBytes, list[0].Status
			}
			if size != c.size || status != c.status || at.State != c.state {
				t.Errorf("it is %d bytes, %q, %q", size, status, at.State)
			}
			if data, ok := a.File(first(a.HomeBackups())); ok {
				if _, err := members(data); err == nil {
					t.Error("the archive is whole")
				}
			}
		})
	}
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

func TestQuotaStopsBackup(t *testing.T) {
	t.Parallel()
	h := cpaneltest.New(t, cpaneltest.Config{Pace: func() {}})
	a := h.AddAccount("ruthin")
	a.SetQuota(100<<20, 100<<20+1000)
	p := account(t, a, h)
	p.must(nil, "Backup::fullbackup_to_homedir")
	h.Settle()
	data, _ := a.File(first(a.HomeBackups()))
	if len(data) != 1000 {
		t.Errorf("%d bytes were written where 1000 had room", len(data))
	}
	var quota map[string]any
	p.must(&quota, "Quota::get_quota_info")
	if quota["megabytes_remain"] != 0.0 || quota["megabyte_limit"] != 100.0 {
		t.Errorf("the quota is %v", quota)
	}
	a.SetQuota(5, 0)
	p.must(&quota, "Quota::get_quota_info")
	if quota["megabyte_limit"] != 0.0 || quota["under_quota_overall"] != 1.0 {
		t.Errorf("without a limit it is %v", quota)
	}
}

// TestTwoAtOnce: nothing stops a second backup, and within one second it takes the
// first one's file.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	h := cpaneltest.New(t, cpaneltest.Config{Steps: true, Zone: time.UTC, Now: func() time.Time { return now }})
	a := h.AddAccount("ruthin")
	p := account(t, a, h)
	p.must(nil, "Backup::fullbackup_to_homedir")
	h.Step()
	h.Step()
	size := func() int { data, _ := a.File("backup-11.23.2026_09-00-00_ruthin.tar.gz"); return len(data) }
	before := size()
	p.must(nil, "Backup::fullbackup_to_homedir")
	h.Step() // of one of the two
	h.Step()
	h.Step()
	if all := a.HomeBackups(); len(all) != 1 || before == 0 {
		t.Errorf("in the same second there are %v of %d bytes", all, before)
	}
	now = now.Add(time.Second)
	p.must(nil, "Backup::fullbackup_to_homedir")
	for len(a.HomeBackups()) < 2 { // of three in turn
		h.Step()
	}
}

func TestPush(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := cpaneltest.New(t, cpaneltest.Config{Pace: func() {}})
	a := h.AddAccount("ruthin")
	p := account(t, a, h)
	h.Receiver("store.contoso.example", dir).Password = "hunter2"
	p.must(nil, "Backup::fullbackup_to_ftp", "host", "store.contoso.example", "username", "kw", "password", "wrong", "email", "ops@contoso.example")
	p.must(nil, "Backup::fullbackup_to_scp_with_password", "host", "nowhere.example", "username", "kw", "password", "hunter2", "email", "ops@contoso.example")
	h.Settle()
	if found, _ := filepath.Glob(filepath.Join(dir, "*")); len(found) != 0 || len(h.Mails()) != 2 {
		t.Errorf("there are %v, and the letters %v", found, h.Mails())
	}
	p.must(nil, "Backup::fullbackup_to_ftp", "host", "store.contoso.example", "username", "kw", "password", "hunter2", "directory", "../in")
	h.Settle()
	found, err := filepath.Glob(filepath.Join(dir, "in", "backup-*_ruthin.tar.gz"))
	if err != nil || len(found) != 1 {
		t.Fatalf("there are %v, %v", found, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	unpack(t, data)
	if all := a.HomeBackups(); len(all) != 0 {
		t.Errorf("in the home directory are %v", all)
	}
	if bad := broken(h); len(bad) > 0 {
		t.Error(bad)
	}
}

func TestExcluded(t *testing.T) {
	t.Parallel()
	h := cpaneltest.New(t, cpaneltest.Config{Pace: func() {}, Zone: time.UTC})
	a := h.AddAccount("ruthin")
	a.AddFile("cpbackup-exclude.conf", []byte("cache/\n*.log\n"))
	for _, name := range []string{"cache/x", "error.log", "kept.txt", "backup-1.1.2026_00-00-00_ruthin.tar.gz"} {
		a.AddFile(name, []byte(name))
	}
	p := account(t, a, h)
	p.must(nil, "Backup::fullbackup_to_homedir")
	h.Settle()
	names := a.HomeBackups()
	slices.SortFunc(names, func(x, y string) int { return len(y) - len(x) })
	data, _ := a.File(names[0])
	var got []string
	for name := range unpack(t, data) {
		if _, below, ok := strings.Cut(name, "/homedir/"); ok && !strings.HasPrefix(below, ".") && !strings.Contains(below, "/") {
			got = append(got, below)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"cpbackup-exclude.conf", "etc", "kept.txt", "logs", "mail", "public_html"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestManagedBackups(t *testing.T) {
	t.Parallel()
	h := cpaneltest.New(t, cpaneltest.Config{})
	a := h.AddAccount("ruthin")
	p := account(t, a, h)
	a.AddFile("public_html/a.txt", []byte("of Monday"))
	day := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	a.AddManagedBackup(day)
	a.AddFile("public_html/a.txt", []byte("broken"))
	var days []string
	if p.must(&days, "Backup::list_backups"); fmt.Sprint(days) != "[2026-11-23T00:00:00.000Z]" {
		t.Errorf("the days are %v", days)
	}
	var list []map[string]any
	if p.must(&list, "Restore::directory_listing", "path", "/public_html/"); len(list) != 2 || list[0]["name"] != "a.txt" {
		t.Errorf("the folder has %v", list)
	}
	if p.must(&list, "Restore::query_file_info", "path", "/public_html/a.txt"); len(list) != 1 || list[0]["backupID"] != "2026-11-23" {
		t.Errorf("the file has %v", list)
	}
	if r := p.ask("Restore::restore_file", "path", "/public_html/a.txt", "backupID", "2026-11-23", "overwrite", "0"); r.Status != 0 {
		t.Error("it is overwritten without a word")
	}
	p.must(nil, "Restore::restore_file", "path", "/public_html/a.txt", "backupID", "2026-11-23", "overwrite", "1")
	if data, _ := a.File("public_html/a.txt"); string(data) != "of Monday" {
		t.Errorf("the file is %q", data)
	}
	a.DropManagedBackup(day)
	if p.must(&days, "Backup::list_backups"); len(days) != 0 {
		t.Errorf("after the rotation there are %v", days)
	}
}

func TestOtherNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	h := cpaneltest.New(t, cpaneltest.Config{OddNames: true, ShortPush: true, Pace: func() {}, Zone: time.UTC, Now: func() time.Time { return now }})
	a := h.AddAccount("ruthin")
	h.Receiver("store.contoso.example", dir)
	p := account(t, a, h)
	p.must(nil, "Backup::fullbackup_to_homedir")
	p.must(nil, "Backup::fullbackup_to_ftp", "host", "store.contoso.example", "username", "kw", "password", "hunter2")
	h.Settle()
	if all := a.HomeBackups(); first(all) != "backup-11.136.0.4_2026-11-23_ruthin.tar.gz" {
		t.Errorf("there are %v", all)
	}
	if _, err := os.Stat(filepath.Join(dir, "backup-11.136.0.4_2026-11-23.tar.gz")); err != nil {
		t.Error(err)
	}
}
