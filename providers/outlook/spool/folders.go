package spool

import (
	"errors"
	"fmt"
	"math"

	bbolt "go.etcd.io/bbolt"

	"keepwatch/providers/outlook"
)

// listed is a folder in the list of folders.
type listed struct {
	Number uint32
	Folder outlook.Folder
}

// SetFolders saves which folders are downloaded.
func (s *spool) SetFolders(folders []outlook.Folder) error {
	return s.change("folders", func(l *ledger) error {
		order, err := l.keys.listed(l.tx)
		if err != nil {
			return err
		}
		forgotten := map[uint32]outlook.Folder{}
		for i, old := range order {
			forgotten[old.Number] = old.Folder
			if err := l.table(tableOrder).delete(number(uint32(i))); err != nil {
				return err
			}
		}
		twice := map[uint32]bool{}
		for i, f := range folders {
			no, err := l.number(f.ID)
			if err != nil {
				return err
			}
			if twice[no] {
				return fmt.Errorf("the folder %q is listed twice", f.ID)
			}
			twice[no] = true
			delete(forgotten, no)
			if err := l.table(tableOrder).write(number(uint32(i)), listed{no, f}); err != nil {
				return err
			}
		}
		for no, f := range forgotten {
			if err := l.forget(no, f); err != nil {
				return err
			}
		}
		return nil
	})
}

// number gives that of a folder, and makes room for one that is new.
func (l *ledger) number(id string) (uint32, error) {
	t, n := l.table(tableNumbers), l.keys.folder(id)
	data, err := t.get(n[:])
	if err != nil {
		return 0, err
	}
	if data != nil {
		return readNumber(data)
	}
	seq, err := t.b.NextSequence()
	if err != nil {
		return 0, err
	}
	if seq > math.MaxUint32 {
		return 0, errors.New("the spool has had too many folders")
	}
	no := uint32(seq)
	for _, name := range []string{tableItems, tablePending, tableRemoved} {
		if _, err := l.tx.Bucket([]byte(name)).CreateBucketIfNotExists(number(no)); err != nil {
			return 0, err
		}
	}
	l.states[no] = &state{}
	return no, t.put(n[:], number(no))
}

// forget removes a folder. Its rows in tableIDs stay: its number is never used again, so
// nobody asks for them.
func (l *ledger) forget(no uint32, f outlook.Folder) error {
	s, err := l.state(no)
	if err != nil {
		return err
	}
	if s == nil {
		return lost("a folder has no state")
	}
	add(&l.total, s.Now, -1)
	add(&l.total, s.Old, -1)
	l.states[no] = nil
	for _, name := range []string{tableItems, tablePending, tableRemoved} {
		if err := l.tx.Bucket([]byte(name)).DeleteBucket(number(no)); err != nil {
			return err
		}
	}
	n := l.keys.folder(f.ID)
	return errors.Join(l.table(tableNumbers).delete(n[:]), l.table(tableStates).delete(number(no)))
}

// Folders gives them in the order of SetFolders.
func (s *spool) Folders() (folders []outlook.Folder, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		order, err := s.keys.listed(tx)
		for _, f := range order {
			folders = append(folders, f.Folder)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return folders, nil
}

func (k *keys) listed(tx *bbolt.Tx) (order []listed, err error) {
	t := k.table(tx, tableOrder)
	return order, t.b.ForEach(func(key, sealed []byte) error {
		data, err := t.unseal(key, sealed)
		if err != nil {
			return err
		}
		var f listed
		if err := decode(data, &f); err != nil {
			return err
		}
		order = append(order, f)
		return nil
	})
}

// known gives the number and the state of a folder.
func (k *keys) known(tx *bbolt.Tx, id string) (uint32, *state, error) {
	n := k.folder(id)
	data, err := k.table(tx, tableNumbers).get(n[:])
	if err != nil {
		return 0, nil, err
	}
	if data == nil {
		return 0, nil, fmt.Errorf("the spool has no folder %q", id)
	}
	no, err := readNumber(data)
	if err != nil {
		return 0, nil, err
	}
	s, err := k.state(tx, no)
	if err == nil && s == nil {
		err = lost("a folder has no state")
	}
	return no, s, err
}

// known is that of a folder that is to be changed.
func (l *ledger) known(id string) (uint32, *state, error) {
	no, _, err := l.keys.known(l.tx, id)
	if err != nil {
		return 0, nil, err
	}
	s, err := l.state(no)
	return no, s, err
}

// Position is how far the reading of a folder is.
func (s *spool) Position(folder string) (at outlook.Position, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		_, st, err := s.keys.known(tx, folder)
		if err == nil {
			at = st.Position
		}
		return err
	})
	return at, err
}

// Restart begins the reading of a folder anew.
func (s *spool) Restart(folder, from string) error {
	return s.change("restart", func(l *ledger) error {
		_, st, err := l.known(folder)
		if err != nil {
			return err
		}
		if from == "" {
			st.next()
			st.Position = outlook.Position{}
			return nil
		}
		st.Position = outlook.Position{State: from, Due: true}
		return nil
	})
}

// next begins a generation.
func (s *state) next() {
	s.Gen++
	add(&s.Old, s.Now, 1)
	s.Now = counts{}
}
