package cpanel

import (
	"bytes"
	"io"

	"keepwatch"
)

// homePart is a home directory that was downloaded as a part.
type homePart struct{}

func (homePart) names() (string, string) {
	return "The download of the home directory", "home directory"
}

func (homePart) look(r io.Reader) sight {
	s := &homeSight{}
	s.tar = walkTar(r, func(e entry, content io.Reader) { s.home.visit(e.name, e, content) })
	return s
}

type homeSight struct {
	tar  tarEnd
	home home
}

func (s *homeSight) odd() bool { return s.tar.odd() }

func (s *homeSight) judge(_ expected, v *verdict) {
	const name = "The download of the home directory"
	if s.tar.broken(v, "home directory", name) {
		return
	}
	v.inside = keepwatch.Inside{Files: s.home.files, Bytes: s.tar.bytes}
	s.tar.oddities(v, "home directory", name)
	s.home.notes(v)
	if s.home.files == 0 {
		v.note("%s holds not a single file.", name)
	}
}

// textPart is a file of e-mail forwarders or filters.
type textPart struct{ of string }

func (p textPart) names() (string, string) { return "The download of " + p.of, p.of }

func (p textPart) look(r io.Reader) sight {
	s := &textSight{of: p.of}
	s.head, s.err = io.ReadAll(io.LimitReader(r, sniffSize))
	rest, err := io.Copy(io.Discard, r)
	s.size = int64(len(s.head)) + rest
	if s.err == nil {
		s.err = err
	}
	return s
}

type textSight struct {
	of   string
	head []byte
	size int64
	err  error
}

func (s *textSight) odd() bool { return false }

// judge says little: an account without a forwarder has an empty file.
func (s *textSight) judge(_ expected, v *verdict) {
	v.inside = keepwatch.Inside{Bytes: s.size}
	switch {
	case isPage(s.head):
		rule, text := whatItIs(s.head, false)
		v.problem(rule, s.of, "What is packed in the download of %s %s", s.of, text)
	case bytes.IndexByte(s.head, 0) >= 0:
		v.problem("text", s.of, "The download of %s is damaged: it holds bytes that are no text. Bring it home again, and ask the host if it is so again.", s.of)
	case isMessage(lastLine(s.head)) && !bytes.ContainsAny(s.head, ":{") && !isFilter(s.head):
		v.problem("text", s.of, "The download of %s holds a message of the host in its place: “%s”. Bring it home again, and show this to the host if it is so again.", s.of, show(lastLine(s.head)))
	}
}

// lastLine gives the last line of a text that is not empty.
func lastLine(text []byte) string {
	text = bytes.TrimSpace(text)
	return string(bytes.TrimSpace(text[bytes.LastIndexByte(text, '\n')+1:]))
}

// isFilter reports whether a text is a filter of Exim, which says "error" too, as in
// "if error_message then finish endif" (exim.org, "Exim's interfaces to mail filtering").
func isFilter(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte("#")) || bytes.Contains(text, []byte("endif"))
}
