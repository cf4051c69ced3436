package route_test

func child(dir string) {}
