package cpaneltest

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// filemanFunctions are those of UAPI's Fileman.
func filemanFunctions() map[string]function {
	return map[string]function{
		"Fileman::list_files":           {since: 44, feature: "filemanager", do: listFiles},
		"Fileman::get_file_information": {since: 44, feature: "filemanager", do: fileInformation},
		"Fileman::get_file_content":     {since: 44, feature: "filemanager", do: fileContent},
		"Fileman::upload_files":         {since: 44, feature: "filemanager", post: true, writes: true, long: true, do: uploadFiles},
		"Fileman::delete_file":          {since: 136, feature: "filemanager", writes: true, do: deleteFile},
	}
}

func listFiles(q *request) (any, error) {
	dir, err := q.need("dir")
	if err != nil {
		return nil, err
	}
	name, n := q.a.find(dir)
	if n == nil || !n.dir {
		return nil, refuse("The directory “%s” does not exist.", dir)
	}
	only := strings.Split(q.params.Get("only_these_files"), ",")
	types := q.params.Get("types")
	dirs, files, all := []any{}, []any{}, []any{}
	for _, below := range q.a.under(name) {
		n := q.a.home[below]
		if n == nil {
			n = &node{dir: true, mode: 0o755, mtime: q.a.made}
		}
		base := path.Base(below)
		if strings.HasPrefix(base, ".") && q.params.Get("show_hidden") != "1" || only[0] != "" && !contains(only, base) {
			continue
		}
		item := q.a.item(below, n)
		if types != "" && !contains(strings.Split(types, "|"), item["type"].(string)) {
			continue
		}
		all = append(all, item)
		if n.dir {
			dirs = append(dirs, item)
		} else {
			files = append(files, item)
		}
	}
	if q.h.cfg.Loose {
		return all, nil
	}
	return map[string]any{"dirs": dirs, "files": files}, nil
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if strings.TrimSpace(s) == one {
			return true
		}
	}
	return false
}

func fileInformation(q *request) (any, error) {
	p, err := q.need("path")
	if err != nil {
		return nil, err
	}
	name, n := q.a.find(p)
	if n == nil {
		return nil, refuse("The path “%s” does not exist.", p)
	}
	return q.a.item(name, n), nil
}

func fileContent(q *request) (any, error) {
	dir, err := q.need("dir")
	if err != nil {
		return nil, err
	}
	file, err := q.need("file")
	if err != nil {
		return nil, err
	}
	_, n := q.a.find(path.Join(dir, file))
	if n == nil || n.dir {
		return nil, refuse("The file “%s” does not exist in “%s”.", file, dir)
	}
	data, err := n.bytes()
	if err != nil {
		return nil, err
	}
	return map[string]any{"content": strings.ToValidUTF8(string(data), "�"), "dir": dir, "filename": file, "path": path.Join(dir, file), "from_charset": "utf-8", "to_charset": "utf-8"}, nil
}

// uploadFiles stores the parts file-0, file-1 … under the names that they came with.
func uploadFiles(q *request) (any, error) {
	q.h.mu.Lock()
	defer q.h.mu.Unlock()
	dir, ok := q.a.clean(q.params.Get("dir"))
	if !ok {
		return nil, refuse("The directory “%s” is outside the home directory.", q.params.Get("dir"))
	}
	field := regexp.MustCompile(`^file-\d+$`)
	uploads, succeeded, failed := []any{}, 0, 0
	for _, p := range q.parts {
		if !field.MatchString(p.field) {
			continue
		}
		n := &node{disk: p.disk}
		name := path.Join(dir, path.Base(p.name))
		reason := ""
		switch {
		case q.a.limit > 0 && q.a.used()+n.size() > q.a.limit:
			reason = "The upload exceeds the available disk space."
		case q.a.home[name] != nil && q.params.Get("overwrite") != "1":
			reason = fmt.Sprintf("The file you are trying to upload, “%s”, already exists.", path.Base(p.name))
		}
		if reason != "" {
			failed++
			uploads = append(uploads, map[string]any{"file": path.Base(p.name), "status": 0, "reason": reason, "size": 0, "warnings": []any{}})
			continue
		}
		q.a.put(name, n)
		succeeded++
		uploads = append(uploads, map[string]any{"file": path.Base(p.name), "status": 1, "reason": fmt.Sprintf("Upload of “%s” succeeded.", path.Base(p.name)), "size": n.size(), "warnings": []any{}})
	}
	if len(uploads) == 0 {
		return nil, refuse("You must specify at least one file to upload.")
	}
	data := map[string]any{"succeeded": succeeded, "failed": failed, "warned": 0, "uploads": uploads}
	if q.params.Get("get_disk_info") == "1" {
		data["diskinfo"] = map[string]any{"file_upload_max_bytes": "unlimited", "spacelimit": q.a.limit, "spaceused": q.a.used()}
	}
	if succeeded == 0 {
		return nil, withData{refuse("%d of %d files could not be uploaded.", failed, len(uploads)), data}
	}
	return data, nil
}

// remove takes a file away, or skips it for lack of rights, and does not say which.
func (a *Account) remove(p string) bool {
	name, n := a.find(p)
	if n == nil || n.dir {
		return false
	}
	if !n.locked {
		delete(a.home, name)
	}
	return true
}

// deleteFile is Fileman::delete_file, a GET that writes.
func deleteFile(q *request) (any, error) {
	p, err := q.need("path")
	if err != nil {
		return nil, err
	}
	if !q.a.remove(p) {
		return nil, refuse("The file “%s” does not exist.", p)
	}
	return map[string]any{"path": p}, nil
}

// fileop is Fileman::fileop of API 2.
func fileop(q *request) (any, error) {
	op, err := q.need("op")
	if err != nil {
		return nil, err
	}
	sources, err := q.need("sourcefiles")
	if err != nil {
		return nil, err
	}
	all := []any{}
	for _, p := range strings.Split(sources, ",") {
		ok, reason := true, ""
		switch op {
		case "unlink", "trash":
			ok = q.a.remove(p)
		case "copy", "move":
			ok = q.a.carry(p, q.params.Get("destfiles"), op == "move")
		default:
			ok, reason = false, "The operation “"+op+"” is not available."
		}
		if !ok && reason == "" {
			reason = "No such file or directory"
		}
		all = append(all, map[string]any{"src": p, "dest": q.params.Get("destfiles"), "result": flagOf(ok), "output": "", "err": reason})
	}
	return all, nil
}

func (a *Account) carry(from, to string, move bool) bool {
	name, n := a.find(from)
	dest, ok := a.clean(to)
	if n == nil || n.dir || !ok {
		return false
	}
	if a.isDir(dest) || a.home[dest] != nil && a.home[dest].dir {
		dest = path.Join(dest, path.Base(name))
	}
	copied := *n
	a.put(dest, &copied)
	if move && dest != name {
		delete(a.home, name)
	}
	return true
}
