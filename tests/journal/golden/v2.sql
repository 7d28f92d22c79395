PRAGMA application_id = 1396984396;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE about (name TEXT NOT NULL PRIMARY KEY, value TEXT);
INSERT INTO "about" VALUES('what','the journal of a seedance_async session or batch');
INSERT INTO "about" VALUES('made_by','0.1.0');
INSERT INTO "about" VALUES('oldest_reader','1');
INSERT INTO "about" VALUES('host','studio');
INSERT INTO "about" VALUES('host_identity','00000000000000000000000000000000');
INSERT INTO "about" VALUES('path','/videos/journal.db');
INSERT INTO "about" VALUES('opened_at','2026-11-23T09:34:59.999999+00:00');
INSERT INTO "about" VALUES('written_by','0.1.0');
INSERT INTO "about" VALUES('needs_log','no');
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,  -- counts the keys in the order in which they came
    key TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,         -- queued, sending, running, succeeded, failed, refused, withdrawn, unknown, gone
    task_id TEXT,                -- the newest task
    digest TEXT NOT NULL,        -- name of the inputs
    catalogue TEXT NOT NULL,
    credits TEXT,                -- list price; NULL where it is not known
    queued_at TEXT NOT NULL,     -- UTC, as all moments
    changed_at TEXT NOT NULL,
    earlier INTEGER NOT NULL,    -- attempts up to this number are history
    inputs TEXT NOT NULL,        -- JSON, as all below
    attempts TEXT NOT NULL,      -- the creates, the oldest first
    error TEXT,
    result TEXT,
    notes TEXT NOT NULL          -- what the application wrote down
, job_group TEXT);
INSERT INTO "jobs" VALUES(1,'queued','queued',NULL,'v1:queued','classic',NULL,'2026-11-23T09:30:00.000000+00:00','2026-11-23T09:30:01.250000+00:00',0,'{"kind":"text","prompt":"Ein See, 湖","model":"seedance-20","duration":5}','[]',NULL,NULL,'{"file":"001_see.mp4","line":1,"id":null}',NULL);
INSERT INTO "jobs" VALUES(2,'sending','sending',NULL,'v1:sending','classic','415','2026-11-23T09:30:00.000000+00:00','2026-11-23T09:30:01.250000+00:00',0,'{"kind":"text","prompt":"Ein See, 湖","model":"seedance-20","duration":5}','[{"number":1,"intent_at":"2026-11-23T09:30:00.000000+00:00","credits":"415"}]',NULL,NULL,'{}',NULL);
INSERT INTO "jobs" VALUES(3,'running','running','task_1','v1:running','classic','415','2026-11-23T09:30:00.000000+00:00','2026-11-23T09:30:01.250000+00:00',0,'{"kind":"reference","prompt":"like @image1","images":["https://cdn.example/1.png?[redacted]"],"extra":{"deep":[1,2.5,null,true,{"x":[]}]},"cut":["images"]}','[{"number":1,"intent_at":"2026-11-23T09:30:00.000000+00:00","credits":"415","outcome":"accepted","closed_at":"2026-11-23T09:30:01.250000+00:00","task_id":"task_1"}]',NULL,NULL,'{}',NULL);
INSERT INTO "jobs" VALUES(4,'succeeded#2','succeeded','task_2','v1:succeeded#2','classic','415','2026-11-23T09:30:00.000000+00:00','2026-11-23T09:30:01.250000+00:00',1,'{"kind":"text","prompt":"Ein See, 湖","model":"seedance-20","duration":5}','[{"number":1,"intent_at":"2026-11-23T09:30:00.000000+00:00","credits":"415","outcome":"unknown","closed_at":"2026-11-23T09:30:01.250000+00:00","reason":"HTTP 500"},{"number":2,"intent_at":"2026-11-23T09:30:00.000000+00:00","credits":"415","outcome":"accepted","closed_at":"2026-11-23T09:30:01.250000+00:00","task_id":"task_2","end":"succeeded","ended_at":"2026-11-23T09:34:59.999999+00:00","credits_used":"414.50"}]',NULL,'{"model":"seedance-20","created_at":"2026-11-23T09:30:01.250000+00:00","completed_at":"2026-11-23T09:34:59.999999+00:00","outputs":[{"url":"https://cdn.example/2.mp4","width":1920,"height":1080,"media_type":"video/mp4","seed":7},{}]}','{}',NULL);
INSERT INTO "jobs" VALUES(5,'failed','failed','task_3','v1:failed','classic','415','2026-11-23T09:30:00.000000+00:00','2026-11-23T09:30:01.250000+00:00',0,'{"kind":"text","prompt":"Ein See, 湖","model":"seedance-20","duration":5}','[{"number":1,"intent_at":"2026-11-23T09:30:00.000000+00:00","credits":"415","outcome":"accepted","closed_at":"2026-11-23T09:30:01.250000+00:00","task_id":"task_3","end":"failed","ended_at":"2026-11-23T09:34:59.999999+00:00","credits_used":"0"}]','{"type":"TaskFailedError","message":"a face","charged":"no","code":"7","kind":"moderation"}',NULL,'{}',NULL);
INSERT INTO "jobs" VALUES(6,'refused','refused',NULL,'v1:refused','classic','415','2026-11-23T09:30:00.000000+00:00','2026-11-23T09:30:01.250000+00:00',0,'{"kind":"text","prompt":"Ein See, 湖","model":"seedance-20","duration":5}','[{"number":1,"intent_at":"2026-11-23T09:30:00.000000+00:00","credits":"415","outcome":"refused","closed_at":"2026-11-23T09:30:01.250000+00:00","reason":"no lake"}]','{"type":"BadRequestError","message":"no lake","charged":"no","status":400}',NULL,'{}',NULL);
INSERT INTO "jobs" VALUES(7,'withdrawn','withdrawn',NULL,'v1:withdrawn','classic','415','2026-11-23T09:30:00.000000+00:00','2026-11-23T09:30:01.250000+00:00',0,'{"kind":"text","prompt":"Ein See, 湖","model":"seedance-20","duration":5}','[]','{"type":"WithdrawnError","message":"taken back","charged":"no"}',NULL,'{}',NULL);
INSERT INTO "jobs" VALUES(8,'unknown','unknown',NULL,'v1:unknown','classic','415','2026-11-23T09:30:00.000000+00:00','2026-11-23T09:30:01.250000+00:00',0,'{"kind":"text","prompt":"Ein See, 湖","model":"seedance-20","duration":5}','[{"number":1,"intent_at":"2026-11-23T09:30:00.000000+00:00","credits":"415","outcome":"unknown","closed_at":"2026-11-23T09:34:59.999999+00:00","reason":"the connection broke"}]','{"type":"OutcomeUnknownError","message":"the connection broke","charged":"maybe"}',NULL,'{}',NULL);
INSERT INTO "jobs" VALUES(9,X'676F6E6520EDB3BF','gone','task_4',X'76313A676F6E6520EDB3BF','classic','415','2026-11-23T09:30:00.000000+00:00','2026-11-23T09:30:01.250000+00:00',0,'{"kind":"text","prompt":"Ein See, 湖","model":"seedance-20","duration":5}','[{"number":1,"intent_at":"2026-11-23T09:30:00.000000+00:00","credits":"415","outcome":"accepted","closed_at":"2026-11-23T09:30:01.250000+00:00","task_id":"task_4","end":"gone","ended_at":"2026-11-23T09:34:59.999999+00:00"}]','{"type":"TaskNotFoundError","message":"no such task","charged":"yes","status":404}',NULL,'{}',NULL);
INSERT INTO "jobs" VALUES(10,'grouped','queued',NULL,'v1:grouped','classic','415','2026-11-23T09:30:00.000000+00:00','2026-11-23T09:30:01.250000+00:00',0,'{"kind":"text","prompt":"Ein See, 湖","model":"seedance-20","duration":5}','[]',NULL,NULL,'{}','anna & söhne');
COMMIT;
