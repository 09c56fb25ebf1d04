package cpanel

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// user is what a host says of an account (UAPI Variables::get_user_information, since
// 86).
type user struct {
	Home    text       `json:"home"`
	User    text       `json:"user"`
	Domain  text       `json:"domain"`
	Domains list[text] `json:"domains"`
	Demo    flag       `json:"demo_mode"`
	Feature features   `json:"feature"`
}

// features are those of an account that are on (true) or off.
type features map[string]flag

// UnmarshalJSON takes an object, and passes over what has no such meaning in it: what
// the account may do, it is told when it does it.
func (f *features) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	if json.Unmarshal(b, &all) != nil {
		return nil
	}
	*f = features{}
	for name, raw := range all {
		var on flag
		if json.Unmarshal(raw, &on) == nil {
			(*f)[name] = on
		}
	}
	return nil
}

// may reports whether the account has a feature. A host that does not name it is taken
// to have it: what it refuses it says when it is asked.
func (u user) may(feature string) bool {
	on, said := u.Feature[feature]
	return bool(on) || !said
}

// names gives the domains.
func (u user) names() []string {
	var list []string
	for _, d := range append(slices.Clone(u.Domains), u.Domain) {
		if d != "" && !slices.Contains(list, string(d)) {
			list = append(list, string(d))
		}
	}
	slices.Sort(list)
	return list
}

// featureBackup gates the backups of an account, in WHM's Feature Manager.
const featureBackup = "backup"

// whoIs asks who the account is. It is the call that proves connection and sign-in.
func whoIs(ctx context.Context, h host, a keepwatch.Hosting) (user, error) {
	var u user
	if err := h.uapi(ctx, "Variables", "get_user_information", nil, &u); err != nil {
		if isAbsent(err) {
			return u, keepwatch.Errorf(keepwatch.KindAttention, "The host of %s does not say who the account is, so it is older than cPanel 86, or it is no cPanel host. Keepwatch cannot work with it; ask the host for its version.", a.User).Because(err)
		}
		return u, err
	}
	if u.Home == "" {
		u.Home = text("/home/" + a.User)
	}
	if u.User == "" {
		u.User = text(a.User)
	}
	return u, nil
}

// allowed says in a sentence why the account makes no backups, as an error; nil: it may.
func allowed(u user) error {
	switch {
	case bool(u.Demo):
		return keepwatch.Errorf(keepwatch.KindAttention, "The account %s is in demo mode, in which the host makes no backups. Ask the host to end it.", u.User)
	case !u.may(featureBackup):
		return keepwatch.Errorf(keepwatch.KindAttention, "The host has turned the feature Backup off for the account %s. Ask the host to turn it on for its package (WHM, Feature Manager).", u.User)
	}
	return nil
}

// database is one of an account, as the host lists it.
type database struct {
	Name text   `json:"database"`
	Size number `json:"disk_usage"` // bytes
}

// databases lists those of MySQL (since 82) or Postgresql (since 84); false where the
// host does not say, because it has no such server or the account no right to it.
func databases(ctx context.Context, h host, module string) (list[database], bool, error) {
	var all list[database]
	err := h.uapi(ctx, module, "list_databases", nil, &all)
	switch {
	case err == nil:
		return all, true, nil
	case refusedCall(err):
		return nil, false, nil
	}
	return nil, false, err
}

// namesOf gives their names, sorted; not nil.
func namesOf(all list[database]) []string {
	names := []string{}
	for _, d := range all {
		names = append(names, string(d.Name))
	}
	slices.Sort(names)
	return names
}

// item is one of a folder (UAPI Fileman::list_files and ::get_file_information).
type item struct {
	File  text   `json:"file"`
	Full  text   `json:"fullpath"`
	Size  number `json:"size"`
	MTime moment `json:"mtime"`
	Type  text   `json:"type"`
}

// moment is a stamp of a file, where nonsense is none: a file's time is what anybody
// sets it to, and one of them must not hide all the others of its folder.
type moment struct{ time.Time }

// UnmarshalJSON takes anything.
func (m *moment) UnmarshalJSON(b []byte) error {
	var s stamp
	if s.UnmarshalJSON(b) == nil {
		m.Time = s.Time
	}
	return nil
}

// folder is what Fileman::list_files gives: cPanel's documents have an object of two
// lists, live hosts mostly give one flat list.
type folder struct {
	Dirs  list[item] `json:"dirs"`
	Files list[item] `json:"files"`
}

// UnmarshalJSON takes both shapes.
func (f *folder) UnmarshalJSON(b []byte) error {
	type shape folder
	text := strings.TrimSpace(string(b))
	if strings.HasPrefix(text, "{") && (strings.Contains(text, `"files"`) || strings.Contains(text, `"dirs"`)) {
		return json.Unmarshal(b, (*shape)(f))
	}
	return json.Unmarshal(b, &f.Files)
}

// homeBackups lists the full backups in the account's home, the oldest first.
func homeBackups(ctx context.Context, h host, u user) ([]heldFile, error) {
	var got folder
	if err := h.uapi(ctx, "Fileman", "list_files", url.Values{"dir": {string(u.Home)}, "types": {"file"}, "show_hidden": {"0"}}, &got); err != nil {
		return nil, err
	}
	var files []heldFile
	for _, i := range got.Files {
		if (i.Type == "" || i.Type == "file") && isBackup(string(i.File), string(u.User)) {
			files = append(files, heldFile{string(i.File), string(u.Home) + "/" + string(i.File), int64(i.Size), i.MTime.Time})
		}
	}
	order(files)
	return files, nil
}

// errGone says that a file is not there.
var errGone = errors.New("the file is not there")

// lookAt gives one file of the account. It is errGone where the host says that there is
// none.
func lookAt(ctx context.Context, h host, u user, name string) (heldFile, error) {
	files, err := homeBackups(ctx, h, u)
	if err != nil {
		return heldFile{}, err
	}
	f, ok := find(files, name)
	if !ok {
		return heldFile{}, errGone
	}
	return f, nil
}

// quota gives the room of the account; false where the host does not say. A limit of
// 0 is none: "0.00" stands for unlimited and for quotas that are off.
func quota(ctx context.Context, h host, now time.Time) (keepwatch.Quota, bool, error) {
	var bytes struct {
		Limit number `json:"byte_limit"`
		Used  number `json:"bytes_used"`
	}
	err := h.uapi(ctx, "Quota", "get_local_quota_info", nil, &bytes) // since 88
	if err == nil {
		return keepwatch.Quota{At: now.UTC(), Used: int64(bytes.Used), Limit: int64(bytes.Limit)}, true, nil
	}
	if !refusedCall(err) {
		return keepwatch.Quota{}, false, err
	}
	var mega struct {
		Limit decimal `json:"megabyte_limit"`
		Used  decimal `json:"megabytes_used"`
	}
	err = h.uapi(ctx, "Quota", "get_quota_info", nil, &mega) // since 56
	switch {
	case err == nil:
		return keepwatch.Quota{At: now.UTC(), Used: int64(float64(mega.Used) * (1 << 20)), Limit: int64(float64(mega.Limit) * (1 << 20))}, true, nil
	case refusedCall(err):
		return keepwatch.Quota{}, false, nil
	}
	return keepwatch.Quota{}, false, err
}
