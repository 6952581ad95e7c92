/** A difference that a run of the model once met, in the words in which it printed it, cut down. */
export interface Regression {
  name: string
  /** The planted bug that brings it back: a replay beside it must differ. */
  bug: string
  /** It takes a program that writes rows. */
  ofRows?: true
  steps: string
}

const task = (fields: string): string =>
  `{"name":{"project":"alpha","workspace":"","filename":${fields},"fault":"none"}`
const plain = '"priority":0},"idempotencyKey":null,"maxAttempts":3,"issueNumber":null'
const enqueueA = `inbox.enqueue {"actor":0,"tasks":[${task(`"a.md",${plain}`)}]}`
const enqueueB = `inbox.enqueue {"actor":0,"tasks":[${task(`"b.md",${plain}`)}]}`
const claimBy = (worker: number): string =>
  `inbox.claim {"actor":0,"worker":${worker},"of":{"projects":["alpha"],"limit":1},"leaseMs":90000,"fault":"none"}`
const handle = (back: number, twist: string | null = null): string =>
  `"handle":${JSON.stringify({ back, isHeld: false, twist })}`
const bind = (back: number, issue: string): string => `inbox.bind {"actor":0,${handle(back)},"issueNumber":"${issue}"}`
const cancel = (back: number): string => `inbox.cancel {"actor":0,"target":{"back":${back},"nth":null}}`
const resume = 'inbox.resume {"actor":1,"worker":2,"lease":"long","dies":0,"unheard":null}'
const saveReport = (payload: string): string =>
  `completions.save {"actor":0,"project":"alpha","issueNumber":"7","agentType":"developer","status":"complete","summary":"Done","payload":${JSON.stringify(payload)},"reportId":"r1","isAgain":false}`
const history = 'completions.history {"actor":0,"issueNumber":"7","limit":3}'
const saveTask = (filename: string, text: string): string =>
  `taskFiles.save {"actor":0,"project":"gamma","filename":"${filename}","content":"${text}","guard":"plain"}`
const saveWorkflow = (project: string, issue: string): string =>
  `workflows.save {"actor":0,"name":{"project":"${project}","issue":"${issue}"},"state":"running","guard":"plain","reopen":false,"data":"{}"}`
const setStatus = (status: string): string =>
  `inbox foreign status {"target":{"back":0,"nth":null},"status":"${status}"}`

const ofInbox: Regression[] = [
  {
    name: 'what a person wants stopped goes to nobody again',
    bug: 'inbox: a task that is to be stopped is given to the next',
    steps: `
      ${enqueueA}
      ${claimBy(0)}
      ${cancel(0)}
      inbox.release {"actor":0,${handle(0)},"retryIn":"none"}
      ${claimBy(1)}`,
  },
  {
    name: 'a claim of none is refused',
    bug: 'inbox: a claim of none claims one',
    steps: `
      ${enqueueA}
      inbox.claim {"actor":0,"worker":0,"of":{"projects":["alpha"],"limit":1},"leaseMs":90000,"fault":"limit"}`,
  },
  {
    name: 'an issue whose task ends in a resume is free only afterwards',
    bug: 'inbox: an issue whose task ends in a resume is free for a twin',
    steps: `
      ${enqueueA}
      ${claimBy(0)}
      ${bind(0, '7')}
      ${cancel(0)}
      ${enqueueB}
      ${claimBy(0)}
      inbox.bind {"actor":0,${handle(0)},"issueNumber":"8"}
      inbox.release {"actor":0,${handle(0)},"retryIn":"none"}
      inbox.enqueue {"actor":0,"tasks":[{"name":{"project":"alpha","workspace":"","filename":"c.txt","priority":5},"idempotencyKey":null,"maxAttempts":3,"issueNumber":"7","fault":"none"}]}
      ${claimBy(0)}
      ${resume}
      inbox.list all {"actor":0}`,
  },
  {
    name: 'the issue that a resumed claim came with is free when it binds another',
    bug: 'inbox: an issue that was left for another one stays busy',
    steps: `
      ${enqueueA}
      ${claimBy(0)}
      ${bind(0, '7')}
      ${resume}
      ${bind(0, '8')}
      ${enqueueB}
      ${claimBy(1)}
      ${bind(0, '7')}`,
  },
  {
    name: 'a claim of an id that nobody gave out is lost',
    bug: 'inbox: an id of a claim is taken for a path',
    steps: `
      ${enqueueA}
      ${claimBy(0)}
      inbox.complete {"actor":0,${handle(0)}}
      inbox.complete {"actor":1,${handle(0, 'id')}}`,
  },
  {
    name: 'done is done under a claim, also where another program took the task off the queue before',
    bug: 'inbox: a second complete is a lost lease',
    ofRows: true,
    steps: `
      ${enqueueA}
      ${claimBy(0)}
      ${setStatus('dreaming')}
      inbox.list all {"actor":0}
      inbox.complete {"actor":0,${handle(0)}}
      ${setStatus('done')}
      inbox.complete {"actor":0,${handle(0)}}`,
  },
  {
    name: 'a claim that was taken back stays lost, though another program calls its task done',
    bug: 'inbox: done is done for whoever held it once',
    ofRows: true,
    steps: `
      ${enqueueA}
      ${claimBy(0)}
      ${cancel(0)}
      ${resume}
      ${setStatus('done')}
      inbox.complete {"actor":0,${handle(0)}}
      ${enqueueB}
      ${claimBy(1)}
      ${cancel(0)}
      inbox.sweep {"actor":0,"waits":true,"beats":false}
      ${setStatus('done')}
      inbox.complete {"actor":0,${handle(0)}}`,
  },
]

const ofDocuments: Regression[] = [
  {
    name: 'a filtered list knows its last page',
    bug: 'workflows: a full page is never the last',
    steps: `
      workflows foreign write {"issue":"7","state":"running","change":"state"}
      ${saveWorkflow('alpha', '7')}
      ${saveWorkflow('beta', '8')}
      workflows.list {"actor":0,"project":"alpha","limit":1}`,
  },
  {
    name: 'a name that is taken in the folder a file comes from is passed over',
    bug: 'taskFiles: a name counts as taken only where the file goes',
    steps: `
      taskFiles foreign write {"filename":"a.md","content":"# One\\n","state":"closed"}
      ${saveTask('a~2.md', '')}
      taskFiles foreign write {"filename":"a.md","content":"","state":"active"}
      taskFiles.close {"actor":0,"project":"gamma","filename":"a.md"}
      taskFiles.list all {"actor":0}`,
  },
  {
    name: 'the same members in another order are another payload',
    bug: 'completions: the same members in another order are the same payload',
    steps: `
      ${saveReport('{"a":1,"b":2}')}
      ${saveReport('{"b":2,"a":1}')}
      ${history}`,
  },
  {
    name: 'to be assigned is no news',
    bug: 'completions: to be assigned is news',
    ofRows: true,
    steps: `
      completions foreign insert {"issueNumber":"7","agentType":"reviewer","status":"complete","isCut":false}
      ${saveReport('{"a":1}')}
      completions.assign {"actor":0,"key":"7:reviewer:complete","project":"alpha"}
      ${history}`,
  },
]

export const regressions: readonly Regression[] = [...ofInbox, ...ofDocuments]
