#!/bin/sh
# Runs `fs` within the stack's network, as its task: `sh infra/fs.sh doctor`. What it says is printed when it has ended,
# and its exit code is this script's.
set -eu
: "${AWS_REGION:?}" "${FS_STACK:?}"
export AWS_DEFAULT_REGION="$AWS_REGION" # which version 1 of the command line reads

output() {
  aws cloudformation describe-stacks --stack-name "$FS_STACK" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

# The words as a list of JSON.
words=''
for word in "$@"; do
  if [ "$(printf '%s' "$word" | tr -d '[:cntrl:]')" != "$word" ]; then
    echo "Words with line ends or tabs can't be passed on: $word" >&2
    exit 2
  fi
  quoted=$(printf '%s' "$word" | sed 's/[\\"]/\\&/g')
  words="$words${words:+, }\"$quoted\""
done

network="awsvpcConfiguration={subnets=[$(output Subnets)],securityGroups=[$(output TaskSecurityGroup)],assignPublicIp=DISABLED}"
cluster=$(output Cluster)
task=$(aws ecs run-task --cluster "$cluster" --task-definition "$(output TaskDefinition)" --launch-type FARGATE \
  --network-configuration "$network" --overrides "{\"containerOverrides\": [{\"name\": \"fs\", \"command\": [$words]}]}" \
  --query 'tasks[0].taskArn' --output text)
case $task in
arn:*) ;;
*)
  echo "ECS began no task. The events of cluster $cluster may say why." >&2
  exit 1
  ;;
esac
# Who stops this script stops the task.
trap 'aws ecs stop-task --cluster "$cluster" --task "$task" >/dev/null; exit 130' INT TERM

state=''
while [ "$state" != STOPPED ]; do
  sleep "${FS_POLL_SECONDS:-5}"
  state=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --query 'tasks[0].lastStatus' --output text)
done
# A task that never began has no log, and says why.
aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --output text \
  --query "tasks[?stopCode!='EssentialContainerExited'].stoppedReason" >&2
aws logs filter-log-events --log-group-name "$(output LogGroup)" --log-stream-names "fs/fs/${task##*/}" \
  --query 'events[].[message]' --output text || true
code=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --output text \
  --query 'tasks[0].containers[0].exitCode')
case $code in
[0-9]*) exit "$code" ;;
*) exit 1 ;;
esac
