package discord

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/bwmarrin/discordgo"

	"keepwatch"
)

// maxAlt is how long the description of a file may be
// (developers/resources/message, "Attachment Object").
const maxAlt = 1024

// attachment is a file in the body of a message: ID is its place among the files that
// are sent along ("Uploading Files" in developers/reference).
type attachment struct {
	ID          string `json:"id"`
	Filename    string `json:"filename"`
	Description string `json:"description,omitempty"`
}

// noFiles takes away the files that a message had.
func noFiles() *[]attachment { return &[]attachment{} }

// replacing is render for what takes the place of a message: the files that this had
// go with what it said.
func replacing(m keepwatch.Message) payload {
	p := render(m)
	if p.Attachments == nil {
		p.Attachments = noFiles()
	}
	return p
}

// attach puts files into a body: the first picture into the last embed, so that it is
// shown below the text and in the same frame, and each further one into an embed of
// its own, while there are any to be had.
func (p *payload) attach(files []keepwatch.File, colour int) {
	if len(files) == 0 {
		return
	}
	p.files = files
	p.Attachments = noFiles()
	shown := false
	for i, f := range files {
		name := fileName(i, f.Name)
		*p.Attachments = append(*p.Attachments, attachment{ID: strconv.Itoa(i), Filename: name, Description: cut(strings.Join(strings.Fields(keepwatch.Clean(f.Alt)), " "), maxAlt)})
		if !strings.HasPrefix(f.Type, "image/") {
			continue
		}
		image := &discordgo.MessageEmbedImage{URL: "attachment://" + name}
		switch {
		case !shown && len(p.Embeds) > 0:
			p.Embeds[len(p.Embeds)-1].Image = image
		case len(p.Embeds) < maxEmbeds:
			p.Embeds = append(p.Embeds, &discordgo.MessageEmbed{Image: image, Color: colour})
		}
		shown = true
	}
}

// fileName makes a name that an embed can point at: letters, digits, dashes, dots and
// underscores alone ("Using Attachments within Embeds"), and no two the same.
func fileName(i int, name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 128 && (r == '-' || r == '.' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z') {
			return r
		}
		return -1
	}, name)
	if name = strings.TrimLeft(name, "."); name == "" {
		name = "file"
	}
	if i > 0 {
		name = strconv.Itoa(i) + "-" + name
	}
	return name[max(0, len(name)-100):] // the end says what it is
}

// body writes a request: as JSON, or with files as a form whose part payload_json it
// is.
func body(in any) (data []byte, contentType string, err error) {
	if data, err = json.Marshal(in); err != nil {
		return nil, "", err
	}
	p, ok := in.(payload)
	if !ok || len(p.files) == 0 {
		return data, "application/json", nil
	}
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part := func(disposition, kind string, data []byte) {
		if err != nil {
			return
		}
		w, failed := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {"form-data; " + disposition}, "Content-Type": {kind}})
		if failed == nil {
			_, failed = w.Write(data)
		}
		err = failed
	}
	part(`name="payload_json"`, "application/json", data)
	for i, f := range p.files {
		kind := f.Type
		if strings.ContainsAny(kind, "\r\n") || kind == "" {
			kind = "application/octet-stream"
		}
		part(fmt.Sprintf(`name="files[%d]"; filename="%s"`, i, fileName(i, f.Name)), kind, f.Data)
	}
	if err == nil {
		err = form.Close()
	}
	return b.Bytes(), form.FormDataContentType(), err
}

// without gives a message without its files, and a sentence instead: what it says is
// worth more than what it shows.
func without(m keepwatch.Message, why string) keepwatch.Message {
	m.Blocks = slices.Clip(m.Blocks)
	for _, f := range m.Files {
		m.Blocks = append(m.Blocks, keepwatch.Text(fmt.Sprintf("%s could not be put here. %s", f.Name, why)))
	}
	m.Files = nil
	return m
}

// tooLarge gives the sentence for files of which it is known beforehand that they are
// not sent.
func tooLarge(m keepwatch.Message) string {
	for _, f := range m.Files {
		if len(f.Data) > keepwatch.MaxFile {
			return "It is larger than " + keepwatch.FormatBytes(keepwatch.MaxFile) + "."
		}
	}
	return ""
}

// filesRefused says why a message was refused for its files; "" where it was not. A
// missing permission may be another one: then the message is refused without files
// too.
func filesRefused(err error) string {
	refusal := refusalOf(err)
	if refusal == nil {
		return ""
	}
	switch {
	case refusal.Code == codeMissingPermissions:
		return "The bot may not send files here: give it (or its role) Attach Files."
	case refusal.Code == codeTooLarge || refusal.Code == codeFileTooLarge || refusal.Status == http.StatusRequestEntityTooLarge:
		return "It is too large for Discord."
	case refusal.Code == codeFilesLimited, refusal.Code == codeInvalidFile, refusal.Code == codeExplicit:
		return fmt.Sprintf("Discord does not take it (%d).", refusal.Code)
	}
	return ""
}
