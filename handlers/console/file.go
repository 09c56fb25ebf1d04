package console

import (
	"slices"

	"keepwatch"
)

// beside puts the files of a message where a terminal can show them: each is written
// somewhere and named, or told in words.
func (c *Console) beside(m keepwatch.Message) keepwatch.Message {
	m.Blocks = slices.Clip(m.Blocks)
	for _, f := range m.Files {
		if c.cfg.Keep == nil {
			m.Blocks = append(m.Blocks, keepwatch.Text(f.Alt))
			continue
		}
		path, err := c.cfg.Keep(f)
		if err != nil {
			c.cfg.Log.Error("a file could not be written for the terminal", "file", f.Name, "err", err)
			why := keepwatch.Sentence(err)
			if why == "" {
				why = "An admin finds the reason in the log."
			}
			m.Blocks = append(m.Blocks, keepwatch.Text(f.Name+" could not be written. "+why), keepwatch.Text(f.Alt))
			continue
		}
		m.Blocks = append(m.Blocks, keepwatch.Text("As a picture it is in this file:"), keepwatch.Code(path))
	}
	m.Files = nil
	return m
}
