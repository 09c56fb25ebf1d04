package cpaneltest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
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
		all = append(all, map[string]any{"user": name, "domain": a.domains[0], "diskused": fmt.Sprintf("%dM", a.used()>>20), "disklimit": limit, "suspended": flagOf(a.suspended), "backup": 1, "owner": "root"})
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
