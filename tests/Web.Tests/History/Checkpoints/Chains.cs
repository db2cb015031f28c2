using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Tests.History.Checkpoints;

/// <summary>Chains in memory.</summary>
internal static class Chains
{
    public static readonly DateTimeOffset At = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    public static AuditDraft Draft(string reason = "why") =>
        new() { Actor = new Actor("alice", "192.0.2.7", null), Action = "switchover", Target = "pair web", Reason = reason, Outcome = "accepted" };

    /// <summary>Entries 1 to so many, each following from the one before.</summary>
    public static List<AuditEntity> Entries(int count)
    {
        var entries = new List<AuditEntity>();
        for (int i = 1; i <= count; i++)
        {
            entries.Add(HistoryRecords.ToEntity(Draft($"reason {i}"), i, At.AddSeconds(i), entries.Count == 0 ? AuditChain.Root : entries[^1].Hash));
        }

        return entries;
    }

    public static AuditEntity With(AuditEntity entry, string reason, string? hash = null, string? previous = null, long? id = null)
    {
        var changed = new AuditEntity
        {
            Id = id ?? entry.Id,
            AtMs = entry.AtMs,
            HappenedAtMs = entry.HappenedAtMs,
            Actor = entry.Actor,
            RemoteAddress = entry.RemoteAddress,
            ForwardedFor = entry.ForwardedFor,
            Action = entry.Action,
            Target = entry.Target,
            Reason = reason,
            Before = entry.Before,
            After = entry.After,
            Outcome = entry.Outcome,
            CorrelationId = entry.CorrelationId,
            PreviousHash = previous ?? entry.PreviousHash,
            Hash = entry.Hash,
        };
        changed.Hash = hash ?? changed.Hash;
        return changed;
    }

    /// <summary>The same entries, chained anew from there on: what somebody does who knows how the chain is made.</summary>
    public static List<AuditEntity> Rechained(IEnumerable<AuditEntity> entries)
    {
        var chained = new List<AuditEntity>();
        foreach (AuditEntity entry in entries)
        {
            AuditEntity next = With(entry, entry.Reason!, previous: chained.Count == 0 ? AuditChain.Root : chained[^1].Hash, id: chained.Count + 1);
            next.Hash = AuditChain.HashOf(next);
            chained.Add(next);
        }

        return chained;
    }

    public static AuditCheckpoint Sign(AuditKey key, AuditEntity entry)
    {
        long at = entry.AtMs + 500;
        return new AuditCheckpoint
        {
            Id = entry.Id,
            At = DateTimeOffset.FromUnixTimeMilliseconds(at),
            EntryId = entry.Id,
            EntryHash = entry.Hash,
            KeyId = key.Id,
            PublicKey = key.PublicKey,
            Signature = key.Sign(CheckpointSignature.Signed(entry.Id, entry.Hash, at, key.Id)),
        };
    }

    /// <summary>The file of an export, as the hub writes it.</summary>
    public static MemoryStream File(AuditKey key, IEnumerable<AuditEntity> entries, IEnumerable<AuditCheckpoint> checkpoints)
    {
        var file = new MemoryStream();
        var verifier = new AuditVerifier();
        ILookup<long, AuditCheckpoint> of = checkpoints.ToLookup(c => c.EntryId);
        file.Write(ChainFile.Header(At, key));
        foreach (AuditEntity entry in entries)
        {
            verifier.Add(entry);
            file.Write(ChainFile.Of(entry));
            foreach (AuditCheckpoint checkpoint in of[entry.Id])
            {
                verifier.Add(checkpoint);
                file.Write(ChainFile.Of(checkpoint));
            }
        }

        file.Write(ChainFile.End(verifier.Finish()));
        file.Position = 0;
        return file;
    }
}
