package slacktest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// File is one that was shared.
type File struct {
	ID, Name, Title, Channel, ThreadTS, Comment string
	TS                                          string // of the message that shows it
	Content                                     []byte
}

// upload is a file between its three steps.
type upload struct {
	name    string
	length  int
	content []byte
	arrived bool
	gone    bool   // the address has expired, or was used
	whole   bool   // files.completeUploadExternal was called
	alt     string // description for those who do not see it
	early   int    // how often it is refused in a message after that, because it is still being worked on
}

// maxAltText is how long the description of a file may be: docs.slack.dev,
// files.getUploadURLExternal.
const maxAltText = 1000

// SlowFiles has every file that is completed from now on refused in messages so many
// times: Slack works on it after it has said that it has it
// (slackapi/python-slack-sdk#1521).
func (s *Server) SlowFiles(times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slowFiles = times
}

// ExpireUploads makes every upload address that is out too old.
func (s *Server) ExpireUploads() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.uploads {
		u.gone = true
	}
}

// Uploaded gives a file by its id, shared or not, with its description as Comment.
func (s *Server) Uploaded(id string) (File, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploads[id]
	if u == nil || !u.whole {
		return File{}, false
	}
	return File{ID: id, Name: u.name, Comment: u.alt, Content: bytes.Clone(u.content)}, true
}

// Images are the ids of the uploaded files that a message shows in its image blocks.
func (m Message) Images() []string {
	var ids []string
	blocks, err := decodeBlocks(m.Blocks)
	if err != nil {
		return nil
	}
	for _, b := range blocks {
		if id := b.obj("slack_file"); b.str("type") == "image" && id != nil {
			ids = append(ids, object(id).str("id"))
		}
	}
	return ids
}

// images checks the uploaded files that blocks show: the bot's own, images, and taken
// in. The lock is held.
func (s *Server) images(k *checker, blocks []object) {
	pattern := regexp.MustCompile(`^F[A-Z0-9]{8,}$`)
	for i, b := range blocks {
		file := object(b.obj("slack_file"))
		if b.str("type") != "image" || file == nil || file.has("url") {
			continue
		}
		at, id := fmt.Sprintf("/blocks/%d/slack_file", i), file.str("id")
		u := s.uploads[id]
		switch {
		case !pattern.MatchString(id):
			k.say(at+"/id", "input must match regex pattern: %s", pattern)
		case u == nil || !u.whole || !strings.HasPrefix(http.DetectContentType(u.content), "image/"):
			k.say(at, "invalid slack file")
		case u.early > 0:
			u.early--
			k.say(at, "invalid slack file")
		}
	}
}

func (s *Server) uploadURL(c *call) (map[string]any, error) {
	length, err := strconv.Atoi(c.str("length"))
	if !c.has("filename") || err != nil || length <= 0 {
		return nil, invalidArguments("[ERROR] filename and a positive length are required")
	}
	id := s.id("F")
	if runes(c.str("alt_txt")) > maxAltText {
		return nil, fail("alt_txt_too_large")
	}
	s.uploads[id] = &upload{name: c.str("filename"), length: length, alt: c.str("alt_txt")}
	return map[string]any{"upload_url": cmp.Or(s.cfg.Files, s.web.URL) + "/upload/" + id, "file_id": id}, nil
}

// serveUpload takes the bytes: as the body, or as the one file of a form.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	content, err := uploaded(r)
	c := &call{Call: Call{Method: "upload", Args: map[string]any{"file_id": id, "length": json.Number(strconv.Itoa(len(content)))}}}
	if r.Header.Get("Authorization") != "" {
		c.Args["authorization"] = true // which the address does not need
	}
	s.serve(w, r, c, func() (map[string]any, error) {
		u := s.uploads[id]
		switch {
		case err != nil || u == nil || u.gone:
			return nil, &apiError{code: "invalid_upload", status: http.StatusBadRequest}
		case len(content) != u.length:
			return nil, &apiError{code: "length_mismatch", status: http.StatusBadRequest}
		}
		u.content, u.arrived, u.gone = content, true, true
		return nil, nil
	})
}

func uploaded(r *http.Request) ([]byte, error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		return io.ReadAll(io.LimitReader(r.Body, 64<<20))
	}
	if err := r.ParseMultipartForm(64 << 20); err != nil {
		return nil, err
	}
	var parts []*multipart.FileHeader
	for _, files := range r.MultipartForm.File {
		parts = append(parts, files...)
	}
	if len(parts) != 1 {
		return nil, http.ErrMissingFile
	}
	open, err := parts[0].Open()
	if err != nil {
		return nil, err
	}
	defer open.Close()
	return io.ReadAll(open)
}

func (s *Server) completeUpload(c *call) (map[string]any, error) {
	var wanted []struct{ ID, Title string }
	if json.Unmarshal(c.raw("files"), &wanted) != nil || len(wanted) == 0 {
		return nil, invalidArguments("[ERROR] files is required")
	}
	shown := []map[string]any{}
	var ids []string
	for _, f := range wanted {
		u := s.uploads[f.ID]
		if u == nil || !u.arrived {
			return nil, fail("file_not_found")
		}
		ids = append(ids, f.ID)
		shown = append(shown, map[string]any{"id": f.ID, "title": f.Title, "name": u.name})
	}
	for _, f := range wanted {
		if u := s.uploads[f.ID]; !u.whole {
			u.whole, u.early = true, s.slowFiles
		}
	}
	channels := strings.FieldsFunc(c.str("channels")+","+c.str("channel_id"), func(r rune) bool { return r == ',' })
	for _, name := range channels {
		if _, err := s.writable(name); err != nil {
			return nil, err
		}
	}
	for _, name := range channels {
		ch, _ := s.writable(name) // was just found
		p := s.put(Message{Channel: ch.ID, User: BotUser, Text: c.str("initial_comment"), ThreadTS: c.str("thread_ts"), Files: ids})
		for _, f := range wanted {
			u := s.uploads[f.ID]
			s.files = append(s.files, File{ID: f.ID, Name: u.name, Title: f.Title, Channel: ch.ID, ThreadTS: p.ThreadTS, Comment: p.Text, TS: p.TS, Content: u.content})
		}
	}
	return map[string]any{"files": shown}, nil
}

// Files are those that were shared in a channel, in order.
func (s *Server) Files(channel string) []File {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []File
	for _, f := range s.files {
		if f.Channel == channel {
			f.Content = bytes.Clone(f.Content)
			found = append(found, f)
		}
	}
	return slices.Clip(found)
}
