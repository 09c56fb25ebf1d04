package cpanel

import (
	"bytes"
	"encoding/json"
)

// listedFile is one of a folder (UAPI Fileman::list_files).
type listedFile struct {
	File  text   `json:"file"`
	Size  number `json:"size"`
	MTime number `json:"mtime"`
}

// listing is what Fileman::list_files gives: an object of two lists in cPanel's
// documents, mostly one flat list on live hosts.
type listing struct{ Files list[listedFile] }

// UnmarshalJSON takes both shapes.
func (l *listing) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); bytes.HasPrefix(b, []byte("{")) {
		var two struct {
			Files list[listedFile] `json:"files"`
		}
		err := json.Unmarshal(b, &two)
		l.Files = two.Files
		return err
	}
	return json.Unmarshal(b, &l.Files)
}
