package cpaneltest

import (
	"path"
	"strings"
	"time"
)

// restoreListing is Restore::directory_listing: what the provider's backups hold of a
// folder.
func restoreListing(q *request) (any, error) {
	dir := q.params.Get("path")
	if !strings.HasPrefix(dir, "/") || !strings.HasSuffix(dir, "/") {
		return nil, refuse("The path must begin and end with a slash.")
	}
	seen, all := map[string]bool{}, []any{}
	for _, m := range q.a.managed {
		past := &Account{h: q.h, user: q.a.user, home: m.home}
		below, _ := past.clean("." + dir)
		for _, name := range past.under(below) {
			if seen[name] {
				continue
			}
			seen[name] = true
			n := m.home[name]
			kind := "file"
			if n == nil || n.dir {
				kind = "dir"
			}
			_, there := q.a.home[name]
			all = append(all, map[string]any{"name": path.Base(name), "type": kind, "onDiskType": kind, "exists": flagOf(there), "conflict": 0})
		}
	}
	return all, nil
}

func flagOf(on bool) int {
	if on {
		return 1
	}
	return 0
}

// restoreInfo is Restore::query_file_info.
func restoreInfo(q *request) (any, error) {
	name := strings.TrimPrefix(q.params.Get("path"), "/")
	all := []any{}
	for _, m := range q.a.managed {
		if n := m.home[name]; n != nil {
			all = append(all, map[string]any{"backupDate": m.day.Format(time.DateOnly), "backupID": m.day.Format(time.DateOnly), "backupType": "compressed", "exists": 1, "fileSize": n.size(), "mtime": n.mtime.Unix(), "path": "/" + name, "type": "file"})
		}
	}
	return all, nil
}

// restoreFile is Restore::restore_file: to the original place only.
func restoreFile(q *request) (any, error) {
	name := strings.TrimPrefix(q.params.Get("path"), "/")
	for _, m := range q.a.managed {
		n := m.home[name]
		if n == nil || m.day.Format(time.DateOnly) != q.params.Get("backupID") {
			continue
		}
		if q.a.home[name] != nil && q.params.Get("overwrite") != "1" {
			return nil, refuse("The file “/%s” already exists.", name)
		}
		copied := *n
		q.a.put(name, &copied)
		q.a.restored = append(q.a.restored, Restored{Function: "restore_file", File: name, At: q.h.Now()})
		return map[string]any{"success": 1}, nil
	}
	return nil, refuse("There is no backup “%s” of “/%s”.", q.params.Get("backupID"), name)
}

func restoreUsers(q *request) (any, error) {
	if len(q.a.managed) == 0 {
		return []any{}, nil
	}
	return []any{q.a.user}, nil
}
