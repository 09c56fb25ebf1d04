package discordtest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Limits of files, https://discord.com/developers/docs/reference#uploading-files and
// https://discord.com/developers/docs/resources/message#attachment-object.
const (
	maxFileSize    = 10 << 20
	maxDescription = 1024
)

// fileLimits judges the files that are sent along, before anything else of the message.
func fileLimits(files []File) *reply {
	for _, f := range files {
		if len(f.Data) > maxFileSize {
			r := failure(http.StatusRequestEntityTooLarge, 40005, "Request entity too large")
			return &r
		}
	}
	return nil
}

// attachments judges what a body says of its files. The id of a new one is its place
// among those that are sent along; any other is of one that the message has.
func (f *formErrors) attachments(all []any, files []File, kept []attachment) {
	for i, v := range all {
		a, at := asObject(v), fmt.Sprintf("attachments.%d", i)
		f.text(at+".description", a["description"], 0, maxDescription)
		id, known := fmt.Sprint(a["id"]), false
		for _, file := range files {
			known = known || id == strconv.Itoa(file.index)
		}
		for _, old := range kept {
			known = known || id == old.id
		}
		if !known {
			f.add(at+".id", "ATTACHMENT_NOT_FOUND", "Attachment data not found for id: "+id)
		}
	}
}

// attached adds the files that were sent along, with what the body says of them.
func (m *message) attached(s *Server, body object, files []File) {
	for _, file := range files {
		for _, v := range array(body["attachments"]) {
			if a := asObject(v); fmt.Sprint(a["id"]) == strconv.Itoa(file.index) {
				file.Description, _ = a["description"].(string)
				if name, named := a["filename"].(string); named {
					file.Name = name
				}
			}
		}
		a := attachment{id: s.id(), file: file}
		s.talk.attached[a.id] = file
		m.attachments = append(m.attachments, a)
	}
	for _, v := range m.embeds {
		m.pointed(s, asObject(v))
	}
}

// pointed makes of "attachment://name" the address of that file; an image that points
// at none is not shown.
func (m *message) pointed(s *Server, embed object) {
	image := asObject(embed["image"])
	url, _ := image["url"].(string)
	name, points := strings.CutPrefix(url, "attachment://")
	if !points {
		return
	}
	delete(embed, "image")
	for _, a := range m.attachments {
		if a.file.Name == name {
			embed["image"] = object{"url": s.attachmentJSON(a)["url"], "proxy_url": s.attachmentJSON(a)["url"]}
		}
	}
}

// Pictures are the files that the message's embeds show, in order.
func (m Message) Pictures() []File {
	var shown []File
	for _, e := range m.Embeds {
		for _, f := range m.Files {
			if e.Image.URL != "" && strings.HasSuffix(e.Image.URL, "/"+f.Name) {
				shown = append(shown, f)
			}
		}
	}
	return shown
}
