package cpaneltest

// marked is what BackupInfo and API 2 know of a file.
func (a *Account) marked(name string) (*run, string) {
	for i := len(a.runs) - 1; i >= 0; i-- {
		if r := a.runs[i]; r.home == name && r.marker {
			if r.state == "timeout" {
				return r, "timeout"
			}
			return r, "inprogress"
		}
	}
	return nil, "ready"
}

// infoList is BackupInfo::list.
func infoList(q *request) (any, error) {
	all := []any{}
	for _, name := range q.a.homeBackups() {
		n := q.a.home[name]
		r, status := q.a.marked(name)
		var began any
		if r != nil {
			began = r.began.Unix()
		}
		all = append(all, map[string]any{"name": name, "fullpath": name, "mtime": n.mtime.Unix(), "sizeBytes": n.size(), "status": status, "startedAtEpoch": began})
	}
	return all, nil
}

// infoProgress is BackupInfo::progress, of the newest run.
func infoProgress(q *request) (any, error) {
	out := map[string]any{"state": "none", "stateSource": "none", "startedAtEpoch": nil, "finishedAtEpoch": nil, "elapsedSeconds": 0, "currentBytes": 0, "estimatedTotalBytes": 0, "estimatedPercent": 0}
	if len(q.a.runs) == 0 {
		return out, nil
	}
	r := q.a.runs[len(q.a.runs)-1]
	switch {
	case r.state == "complete" && !q.a.done, r.state == "none":
		return out, nil
	}
	out["state"], out["stateSource"], out["startedAtEpoch"] = r.state, "hook", r.began.Unix()
	var size int64
	if n := q.a.home[r.home]; r.home != "" && n != nil {
		size = n.size()
	}
	end := q.h.Now()
	guess := max(q.a.used()*6/10, 1) // an estimate from the quota, which may be far off
	percent := min(size*100/guess, 99)
	if r.state == "complete" {
		end, guess, percent, out["finishedAtEpoch"] = r.ended, size, 100, r.ended.Unix()
	}
	out["elapsedSeconds"], out["currentBytes"], out["estimatedTotalBytes"], out["estimatedPercent"] = int64(end.Sub(r.began).Seconds()), size, guess, percent
	return out, nil
}

// infoReset is BackupInfo::reset.
func infoReset(q *request) (any, error) {
	q.a.done = false
	return map[string]any{"cleared": true}, nil
}

// listFull is Backups::listfullbackups of API 2. The documents do not show its fields;
// these are the ones that public tools read.
func listFull(q *request) (any, error) {
	all := []any{}
	for _, name := range q.a.homeBackups() {
		n := q.a.home[name]
		_, status := q.a.marked(name)
		if status == "ready" {
			status = "complete"
		}
		all = append(all, map[string]any{"file": name, "status": status, "time": n.mtime.Unix(), "localtime": n.mtime.In(q.h.cfg.Zone).Format("Mon Jan _2 15:04:05 2006")})
	}
	return all, nil
}

// listManaged is Backup::list_backups: the days of the provider's own.
func listManaged(q *request) (any, error) {
	all := []any{}
	for _, m := range q.a.managed {
		all = append(all, m.day.Format("2006-01-02T15:04:05.000Z"))
	}
	return all, nil
}
