package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"
)

// elfWith is a Linux program of one header.
func elfWith(t *testing.T, kind elf.ProgType) []byte {
	t.Helper()
	var b bytes.Buffer
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	for _, part := range []any{h, elf.Prog64{Type: uint32(kind)}} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestABinaryThatNeedsALoaderIsNotStatic(t *testing.T) {
	t.Parallel()
	for kind, static := range map[elf.ProgType]bool{elf.PT_LOAD: true, elf.PT_INTERP: false, elf.PT_DYNAMIC: false} {
		if err := checkStatic(bytes.NewReader(elfWith(t, kind))); (err == nil) != static {
			t.Errorf("%v: got %v", kind, err)
		}
	}
	if checkStatic(bytes.NewReader([]byte("no program"))) == nil {
		t.Error("what is no program is static")
	}
}
