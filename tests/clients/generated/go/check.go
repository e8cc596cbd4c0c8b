// What both stories check their answers with.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
)

func check(err error) {
	if err != nil {
		var refusal interface{ Body() []byte }
		if errors.As(err, &refusal) {
			panic(fmt.Sprintf("%v: %s", err, refusal.Body()))
		}
		panic(err)
	}
}

func equal(what string, actual, wanted interface{}) {
	if !reflect.DeepEqual(actual, wanted) {
		panic(fmt.Sprintf("%s: expected %v, got %v", what, wanted, actual))
	}
}

// suffix makes names unique.
func suffix() string {
	var bytes [4]byte
	_, err := rand.Read(bytes[:])
	check(err)
	return fmt.Sprintf("%x", bytes)
}
