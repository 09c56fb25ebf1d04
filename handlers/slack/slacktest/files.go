package slacktest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
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
}

func (s *Server) uploadURL(c *call) (map[string]any, error) {
	length, err := strconv.Atoi(c.str("length"))
	if !c.has("filename") || err != nil || length <= 0 {
		return nil, invalidArguments("[ERROR] filename and a positive length are required")
	}
	id := s.id("F")
	s.uploads[id] = &upload{name: c.str("filename"), length: length}
	return map[string]any{"upload_url": s.web.URL + "/upload/" + id, "file_id": id}, nil
}

// serveUpload takes the bytes: as the body, or as the one file of a form.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	content, err := uploaded(r)
	c := &call{Call: Call{Method: "upload", Args: map[string]any{"file_id": id, "length": json.Number(strconv.Itoa(len(content)))}}}
	s.serve(w, r, c, func() (map[string]any, error) {
		u := s.uploads[id]
		switch {
		case err != nil || u == nil:
			return nil, &apiError{code: "invalid_upload", status: http.StatusBadRequest}
		case len(content) != u.length:
			return nil, &apiError{code: "length_mismatch", status: http.StatusBadRequest}
		}
		u.content, u.arrived = content, true
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
