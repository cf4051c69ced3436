package store

import (
	"crypto/sha1" //nolint:gosec // git's object names are SHA-1
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
)

// BlobID returns the name git gives a text.
func BlobID(text []byte) string {
	h := sha1.New()
	head := append(strconv.AppendInt([]byte("blob "), int64(len(text)), 10), 0)
	h.Write(head)
	h.Write(text)
	return hex.EncodeToString(h.Sum(head[:0]))
}

// full joins ErrDiskFull to an error that means a full disk.
func full(err error) error {
	if err != nil && noSpace(err) && !errors.Is(err, ErrDiskFull) {
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return err
}
