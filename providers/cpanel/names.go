package cpanel

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// backupName takes a full backup's file name apart. cPanel writes month and day
// without a leading zero and the time of day with one, in the server's own time zone;
// its documents of the FTP and SCP functions leave out the user (UAPI
// Backup::fullbackup_to_homedir, ::fullbackup_to_ftp).
const backupName = `^backup-(\d{1,2})\.(\d{1,2})\.(\d{4})_(\d{2})-(\d{2})-(\d{2})(?:_([A-Za-z0-9_]+))?\.tar\.gz$`

// nameParts are what a full backup's name says.
type nameParts struct {
	at   time.Time // in the server's time zone, which nobody knows: as if it were UTC
	user string    // "": it is left out
}

// readName reads the name of a full backup, and gives false for another one.
func readName(name string) (nameParts, bool) {
	if !strings.HasPrefix(name, "backup-") {
		return nameParts{}, false
	}
	m := regexp.MustCompile(backupName).FindStringSubmatch(name)
	if m == nil {
		return nameParts{}, false
	}
	var n [6]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // digits, by the pattern
	}
	at := time.Date(n[2], time.Month(n[0]), n[1], n[3], n[4], n[5], 0, time.UTC)
	if int(at.Month()) != n[0] || at.Day() != n[1] || n[3] > 23 || n[4] > 59 || n[5] > 59 {
		return nameParts{}, false
	}
	return nameParts{at, m[7]}, true
}

// isBackup reports whether a file in an account's home is a full backup by its name.
// cPanel's own sample of BackupInfo::list has a name of another form
// ("backup-11.128.0.6_2026-06-23_user.tar.gz"), so that its beginning and end must do;
// a backup of the home directory alone ("backup-ruthin.example-11-26-2026.tar.gz") has
// no "_USER" at its end.
func isBackup(name, user string) bool {
	if parts, ok := readName(name); ok {
		return parts.user == "" || parts.user == user
	}
	return strings.HasPrefix(name, "backup-") && strings.HasSuffix(name, "_"+user+".tar.gz")
}

// heldFile is a full backup in the account's home, or one that arrived at a receiver.
type heldFile struct {
	name  string
	path  string
	size  int64
	mtime time.Time // zero: unknown
}

// made gives when a backup was made: when its file was last written or, where the host
// does not say that, what its name says, which is right to within the time zones.
func (f heldFile) made() time.Time {
	if n, ok := readName(f.name); ok && f.mtime.IsZero() {
		return n.at
	}
	return f.mtime
}

// order sorts by the time in the names, then by that of the files, the oldest first.
func order(files []heldFile) {
	slices.SortStableFunc(files, func(a, b heldFile) int {
		x, xok := readName(a.name)
		y, yok := readName(b.name)
		if xok && yok && !x.at.Equal(y.at) {
			return x.at.Compare(y.at)
		}
		if c := a.mtime.Compare(b.mtime); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
}

// fresh gives the files that are not among those of before, the oldest first.
func fresh(files []heldFile, before []mark) []heldFile {
	var list []heldFile
	for _, f := range files {
		if !slices.ContainsFunc(before, func(m mark) bool { return m.Name == f.name }) {
			list = append(list, f)
		}
	}
	order(list)
	return list
}

// rewritten gives the files that are among those of before and have been begun anew
// since: some hosts name backups by the day alone, so that the second of a day takes
// the place of the first (the sample of BackupInfo::list in cPanel's document). One
// that only grows is somebody's that was there: it has not become smaller, and the host
// knows of no other run since (begun).
func rewritten(files []heldFile, before []mark, begun bool) []heldFile {
	var list []heldFile
	for _, f := range files {
		if slices.ContainsFunc(before, func(m mark) bool {
			return m.Name == f.name && (f.size < m.Size || begun && !m.At.IsZero() && f.mtime.After(m.At))
		}) {
			list = append(list, f)
		}
	}
	order(list)
	return list
}

// find gives the file of a name.
func find(files []heldFile, name string) (heldFile, bool) {
	i := slices.IndexFunc(files, func(f heldFile) bool { return f.name == name })
	if i < 0 {
		return heldFile{}, false
	}
	return files[i], true
}

// partialName is how cPanel's own links name a backup of the home directory alone:
// without zeros before month and day.
func partialName(domain string, day time.Time) string {
	return "backup-" + domain + "-" + day.UTC().Format("1-2-2006") + ".tar.gz"
}
