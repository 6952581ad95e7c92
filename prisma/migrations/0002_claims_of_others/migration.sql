-- A program that has columns of its own for who claimed a task and when reads them back: what it wrote stays.

CREATE OR REPLACE FUNCTION nexus_inbox_queue_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status IS NOT DISTINCT FROM OLD.status THEN
    RETURN NEW;
  END IF;
  IF NEW.status = 'processing' THEN
    IF NEW.claim_epoch = OLD.claim_epoch THEN
      -- Another program claimed it: fence former holders off, and never sweep a holder that does not renew.
      NEW.claim_epoch := OLD.claim_epoch + 1;
      NEW.lease_expires_at := NULL;
      IF NEW.claimed_by IS NOT DISTINCT FROM OLD.claimed_by THEN
        NEW.claimed_by := NULL;
      END IF;
      IF NEW.claimed_at IS NOT DISTINCT FROM OLD.claimed_at THEN
        NEW.claimed_at := clock_timestamp();
      END IF;
    END IF;
    NEW.processed_at := NULL;
    RETURN NEW;
  END IF;
  NEW.lease_expires_at := NULL;
  NEW.running_key := NULL;
  NEW.hold_key := NULL;
  IF NEW.status = 'pending' THEN
    NEW.claimed_by := NULL;
    NEW.claimed_at := NULL;
    NEW.processed_at := NULL;
  ELSE
    -- claimed_by and the epoch stay: a holder whose answer was lost asks again and finds its own work done.
    NEW.live_key := NULL;
    IF NEW.processed_at IS NOT DISTINCT FROM OLD.processed_at THEN
      NEW.processed_at := clock_timestamp();
    END IF;
  END IF;
  RETURN NEW;
END
$$;
