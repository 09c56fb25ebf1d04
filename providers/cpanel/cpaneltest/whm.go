package cpaneltest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// whmFunction is one of WHM API 1.
type whmFunction struct {
	since int
	do    func(q *request) (any, error) // with the host's lock held
}

func whmFunctions() map[string]whmFunction {
	return map[string]whmFunction{
		"version":                    {0, whmVersion},
		"uapi_cpanel":                {86, nil}, // takes the lock itself
		"create_user_session":        {40, userSession},
		"accountsummary":             {0, accountSummary},
		"listaccts":                  {0, accountSummary},
		"api_token_list":             {0, whmTokenList},
		"start_background_pkgacct":   {54, startPackage},
		"get_pkgacct_session_state":  {88, packageState},
		"fetch_pkgacct_master_log":   {88, packageLog},
		"list_cparchive_files":       {42, archiveList},
		"start_local_cpmove_restore": {88, startTransfer},
		"get_transfer_session_state": {0, transferState},
		"fetch_transfer_session_log": {0, transferLog},
		"abort_transfer_session":     {0, transferAbort},
		"backup_date_list":           {0, backupDates},
		"backup_set_list_combined":   {80, backupSets},
		"backup_user_list":           {0, backupUsers},
		"backup_config_get":          {0, backupConfig},
	}
}

// serveWHM is the port 2087.
func (h *Host) serveWHM(w http.ResponseWriter, r *http.Request) {
	c, _ := h.call(r, true)
	h.mu.Lock()
	root := h.identifyWHM(r)
	h.mu.Unlock()
	if root != "" {
		c.Auth = "whm"
	}
	params, parts, err := h.take(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.Params, c.Parts = redact(params), names(parts)
	inner := c // the function of the account, where there is one
	function, isJSON := strings.CutPrefix(c.Path, "/json-api/")
	switch {
	case function == "cpanel":
		c.API, c.Module, c.Function = legacy(params)
		c.User = params.Get("cpanel_jsonapi_user")
		inner = c
	case isJSON:
		c.API, c.Function = 1, function
		c.User = params.Get("user")
		if function == "uapi_cpanel" {
			c.User = params.Get("cpanel.user")
			inner.API, inner.Module, inner.Function, inner.User = 3, params.Get("cpanel.module"), params.Get("cpanel.function"), c.User
			c.Long = h.functions[inner.Module+"::"+inner.Function].long
		}
	}
	h.serve(w, r, c, func(w http.ResponseWriter, fault Fault) {
		q := &request{h: h, w: w, r: r, params: params, parts: parts, fault: fault, whm: root}
		if !fault.hit && inner.API == 3 && c.API == 1 {
			h.mu.Lock()
			q.fault = h.pick(inner) // what goes wrong with the function itself
			h.mu.Unlock()
		}
		h.mu.Lock()
		q.a = h.accounts[c.User]
		h.mu.Unlock()
		switch {
		case root == "":
			h.unknown(w, r.Header.Get("Authorization"))
		case c.API == 1:
			q.answerWHM(c, inner)
		case c.API != 0 && q.a != nil:
			q.answer(c)
		case c.API != 0:
			page(w, http.StatusForbidden, "<h1>Permission denied</h1>")
		default:
			page(w, http.StatusNotFound, "<h1>Function not found</h1>") // /execute is none of WHM's
		}
	})
}

// identifyWHM says which user of WHM it is; "": none. The lock is held.
func (h *Host) identifyWHM(r *http.Request) string {
	if h.cfg.LockAfter > 0 && h.refused >= h.cfg.LockAfter {
		return ""
	}
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	name, text, _ := strings.Cut(rest, ":")
	if strings.EqualFold(scheme, "whm") && name != "" && h.whmTokens[text] == name {
		return name
	}
	return ""
}

// answerWHM runs a function of WHM API 1.
func (q *request) answerWHM(c, inner Call) {
	var data any
	var err error
	f, known := q.h.whmFunction[c.Function]
	q.h.mu.Lock()
	major := q.h.major()
	q.h.mu.Unlock()
	switch {
	case !known || major < f.since:
		err = refuse("Unknown app (%q) requested for this version (1) of the API.", c.Function)
	case q.params.Get("api.version") != "1":
		err = refuse("This API version is not supported.")
	case q.fault.Error != "" && inner.API != 3:
		err = refusal(q.fault.Error)
	case c.Function == "uapi_cpanel":
		data, err = q.uapi(inner)
	default:
		q.h.mu.Lock()
		data, err = f.do(q)
		q.h.mu.Unlock()
	}
	q.aborted()
	meta := map[string]any{"command": c.Function, "reason": "OK", "result": 1, "version": 1}
	if err != nil {
		meta["reason"], meta["result"] = err.Error(), 0
		q.send(map[string]any{"metadata": meta})
		return
	}
	q.send(map[string]any{"data": q.shape(data), "metadata": meta})
}

// uapi is uapi_cpanel. Uploads do not go that way.
func (q *request) uapi(inner Call) (any, error) {
	if q.a == nil {
		return nil, refuse("The account “%s” does not exist.", inner.User)
	}
	if inner.Module == "Fileman" && inner.Function == "upload_files" {
		return nil, refuse("The function upload_files cannot be called this way.")
	}
	if inner.Module == "" || inner.Function == "" {
		return nil, refuse("API failure: (XID) The “cpanel.module” and “cpanel.function” arguments are required.")
	}
	data, err := q.run(inner)
	return map[string]any{"uapi": flat(data, err)}, nil
}

func (q *request) account() (*Account, error) {
	if q.a == nil {
		return nil, refuse("The account “%s” does not exist.", q.params.Get("user"))
	}
	return q.a, nil
}

func whmVersion(q *request) (any, error) { return map[string]any{"version": q.h.version}, nil }

// userSession is create_user_session: an address that works once.
func userSession(q *request) (any, error) {
	a, err := q.account()
	if err != nil {
		return nil, err
	}
	if q.params.Get("service") != "cpaneld" {
		return nil, refuse("The service “%s” is not available here.", q.params.Get("service"))
	}
	s := q.h.newSession(a.user)
	once := a.user + ":" + q.h.secret()
	q.h.entries[once] = s
	return map[string]any{
		"url": q.h.URL() + s.path + "/login/?session=" + strings.ReplaceAll(once, ":", "%3a"), "session": once, "cp_security_token": s.path,
		"expires": q.h.Now().Add(idle).Unix(), "service": "cpaneld",
	}, nil
}

func accountSummary(q *request) (any, error) {
	all := []any{}
	for _, name := range slices.Sorted(maps.Keys(q.h.accounts)) {
		a := q.h.accounts[name]
		if user := q.params.Get("user"); user != "" && user != name {
			continue
		}
		limit := "unlimited"
		if a.limit > 0 {
			limit = fmt.Sprintf("%dM", a.limit>>20)
		}
		all = append(all, map[string]any{"user": name, "domain": a.domains[0], "diskused": fmt.Sprintf("%dM", a.used()>>20), "disklimit": limit, "suspended": 0, "backup": 1, "owner": "root"})
	}
	if len(all) == 0 {
		return nil, refuse("Account does not exist.")
	}
	return map[string]any{"acct": all}, nil
}

func whmTokenList(q *request) (any, error) {
	all := map[string]any{}
	for token, user := range q.h.whmTokens {
		if user == q.whm {
			name := "token-" + token[len(token)-4:]
			all[name] = map[string]any{"name": name, "create_time": q.h.Now().Unix(), "expires_at": nil, "acls": map[string]any{"all": 1}}
		}
	}
	return map[string]any{"tokens": all}, nil
}

// packing is a session of start_background_pkgacct.
type packing struct {
	run   *run
	state string
	log   []string
}

// startPackage is start_background_pkgacct: cpmove-USER.tar.gz in tarroot, /home without
// one.
func startPackage(q *request) (any, error) {
	a, err := q.account()
	if err != nil {
		return nil, err
	}
	root := q.params.Get("tarroot")
	if root == "" {
		root = "/home"
	}
	r := &run{a: a, name: "cpmove-" + a.user + ".tar.gz", fault: q.fault, spec: ArchiveSpec{SkipHome: q.params.Get("skiphomedir") == "1", Top: "cpmove-" + a.user}}
	q.h.seq++
	id := a.user + q.h.Now().UTC().Format("20060102150405") + strconv.Itoa(q.h.seq)
	p := &packing{run: r, state: "RUNNING", log: []string{"pkgacct started."}}
	q.h.packages[id] = p
	r.place = func() (string, error) {
		r.node = &node{disk: q.h.onDisk(), mode: 0o600, mtime: q.h.Now()}
		full := path.Join(root, r.name)
		if name, ok := a.clean(full); ok {
			r.home = name
			a.put(name, r.node)
		} else {
			q.h.archives[full] = r.node
		}
		p.log = append(p.log, "pkgacct is compressing "+full)
		return r.node.disk, nil
	}
	r.finished = func(ok bool) {
		if p.state = "COMPLETED"; !ok {
			p.state = "FAILED"
		}
		p.log = append(p.log, "pkgacct "+strings.ToLower(p.state))
	}
	runs := a.runs
	q.h.beginBackup(r)
	a.runs, a.done = runs, false // BackupInfo knows the account's own only
	logs := "/var/cpanel/pkgacct_sessions/" + id
	return map[string]any{"session_id": id, "complete_master_log": logs + "/master.log", "complete_master_error_log": logs + "/master.error_log"}, nil
}

func packageState(q *request) (any, error) {
	p := q.h.packages[q.params.Get("session_id")]
	if p == nil {
		return nil, refuse("The session “%s” does not exist.", q.params.Get("session_id"))
	}
	return map[string]any{"state": p.state}, nil
}

func packageLog(q *request) (any, error) {
	p := q.h.packages[q.params.Get("session_id")]
	if p == nil {
		return nil, refuse("The session “%s” does not exist.", q.params.Get("session_id"))
	}
	return map[string]any{"log": logLines(p.log)}, nil
}

// logLines is the form of WHM's logs: an object of JSON a line.
func logLines(all []string) string {
	var b strings.Builder
	for _, text := range all {
		line, _ := json.Marshal(map[string]any{"contents": text + "\n", "partial": 0, "indent": 0, "type": "out", "pid": 4073}) // strings and numbers
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func archiveList(q *request) (any, error) {
	all := []any{}
	for _, full := range slices.Sorted(maps.Keys(q.h.archives)) {
		user := strings.TrimSuffix(strings.TrimPrefix(path.Base(full), "cpmove-"), ".tar.gz")
		all = append(all, map[string]any{"file": path.Base(full), "path": path.Dir(full), "user": user})
	}
	return map[string]any{"quickrestore_files": all}, nil
}

// AddArchive puts an archive into /home, where WHM looks for them. name is its base name.
func (h *Host) AddArchive(name string, content []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.archives["/home/"+name] = &node{data: content, mode: 0o600, mtime: h.Now()}
}

func backupDates(q *request) (any, error) {
	days := map[string]bool{}
	for _, a := range q.h.accounts {
		for _, m := range a.managed {
			days[m.day.Format(time.DateOnly)] = true
		}
	}
	return map[string]any{"backup_set": slices.Sorted(maps.Keys(days))}, nil
}

func backupSets(q *request) (any, error) {
	all := map[string]any{}
	for name, a := range q.h.accounts {
		sets := []any{}
		for _, m := range a.managed {
			sets = append(sets, map[string]any{"when": m.day.Format(time.DateOnly), "where": "local"})
		}
		if len(sets) > 0 {
			all[name] = sets
		}
	}
	return map[string]any{"backup_set": all, "destination_legend": map[string]any{"local": map[string]any{"name": "Local", "type": "Local"}}}, nil
}

func backupUsers(q *request) (any, error) {
	day, err := q.need("restore_point")
	if err != nil {
		return nil, err
	}
	all := []any{}
	for _, name := range slices.Sorted(maps.Keys(q.h.accounts)) {
		status := "no_backup"
		for _, m := range q.h.accounts[name].managed {
			if strings.HasPrefix(day, m.day.Format(time.DateOnly)) {
				status = "active"
			}
		}
		all = append(all, map[string]any{"username": name, "status": status})
	}
	return map[string]any{"user": all}, nil
}

// backupConfig is backup_config_get, with the defaults of the documents.
func backupConfig(*request) (any, error) {
	return map[string]any{"backup_config": map[string]any{
		"backupenable": 1, "backup_daily_enable": 1, "backup_daily_retention": 5, "backupdays": "0,2,4,6", "backup_weekly_enable": 0, "backup_weekly_day": 0, "backup_weekly_retention": 4,
		"backup_monthly_enable": 0, "backup_monthly_dates": "1", "backup_monthly_retention": 1, "backuptype": "compressed", "backupdir": "/backup", "check_min_free_space": 1,
		"maximum_timeout": 7200, "maximum_restore_timeout": 21600, "force_prune_daily": 0, "force_prune_weekly": 0, "force_prune_monthly": 0, "mysqlbackup": "accounts", "psqlbackup": 0,
	}}, nil
}

// integer reads a number.
func integer(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}
