package task_test

const roleEnv = "MUSTER_TASK_ROLE"

func play(string) int { return 0 }
