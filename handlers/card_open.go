package handlers

import (
	"path/filepath"
	"strings"

	"keepwatch"
)

// openBlocks says how an archive is opened with age, zstd and tar alone.
func (r *Router) openBlocks(ref string, sealed []keepwatch.SealedFile) []keepwatch.Block {
	how := r.howToOpen(ref, sealed)
	if how == "" {
		return []keepwatch.Block{keepwatch.Text("It is empty: there is nothing in it to open.")}
	}
	return []keepwatch.Block{keepwatch.Text("To open it without Keepwatch:"), keepwatch.Code(how)}
}

// howToOpen gives the shell commands for that, "" for an archive with nothing in
// it. They unpack into a folder that they make, and stop if there is one: what
// they are pasted beside may be newer than the archive.
func (r *Router) howToOpen(ref string, sealed []keepwatch.SealedFile) string {
	dir := r.cfg.Vault.Path(ref)
	key := r.cfg.KeyFile
	if key == "" {
		key = "KEY-FILE"
	}
	into := strings.ReplaceAll(ref, "/", "-")
	lines := []string{"mkdir " + shell(into)}
	more := int64(0)
	for _, s := range sealed {
		if s.Name == "contents.jsonl.zst.age" {
			continue
		}
		if len(lines) > 3 {
			more++
			continue
		}
		line := "age -d -i " + shell(key) + " " + shell(filepath.Join(dir, s.Name))
		plain := strings.TrimSuffix(s.Name, ".age")
		switch {
		case strings.HasSuffix(plain, ".tar.zst"):
			line += " | zstd -d | tar x -C " + shell(into)
		case strings.HasSuffix(plain, ".zst"):
			line += " | zstd -d > " + shell(into+"/"+strings.TrimSuffix(plain, ".zst"))
		default:
			line += " > " + shell(into+"/"+plain)
		}
		lines = append(lines, line)
	}
	if len(lines) == 1 {
		return ""
	}
	how := strings.Join(lines, " &&\n")
	if more > 0 {
		how += "\n# and so on with the other " + keepwatch.FormatCount(more, "file") + " of that folder whose name ends in .age"
	}
	return how
}

// shell quotes a word for a POSIX shell.
func shell(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
