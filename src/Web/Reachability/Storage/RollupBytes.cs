using System.Collections.Immutable;

namespace FailoverHub.Web.Reachability.Storage;

/// <summary>What a row of rollups is divided into.</summary>
/// <param name="Slots">Rollups that there may be, at most 64.</param>
/// <param name="SlotMs">Milliseconds of each.</param>
internal sealed record RollupScale(int Slots, long SlotMs)
{
    /// <summary>An hour, minute by minute.</summary>
    public static RollupScale MinutesOfAnHour { get; } = new(60, 60_000);

    /// <summary>A day (UTC), hour by hour.</summary>
    public static RollupScale HoursOfADay { get; } = new(24, 3_600_000);

    /// <summary>Milliseconds of a row.</summary>
    public long RowMs => Slots * SlotMs;
}

/// <summary>
/// The rollups of one address in an hour or a day as bytes: one after the other by their slot; a time without probes has none. Numbers are those of
/// <see cref="VarIntWriter"/>.
/// <code>
///   byte     1, the version
///   then for each rollup:
///   byte     slot
///   byte     flags:  1 begins silent   2 ends silent   4 all silent   8 some were lost   16 some were answered
///   number   sent
///   [8]      number lost
///   number   ms from the beginning of the slot to the first probe
///   number   ms from the last probe to the end of the slot, less 1
///   [8]      numbers head, tail, longest silence, ms
///   [16]     numbers min, max - min, sum - min × answered, µs
///            number  first bucket, then buckets until they hold as many as were answered:
///              byte    high four bits: buckets left out before it; low four bits: its count less 1
///                      15 in either says that a number follows with what is above 15, first that of the high bits
/// </code>
/// A version that is not known, or anything else that is not so, is refused whole.
/// </summary>
internal static class RollupBytes
{
    private const byte Version = 1;
    private const byte BeginsSilent = 1, EndsSilent = 2, AllSilent = 4, SomeLost = 8, SomeAnswered = 16, AllFlags = 31;
    private const int Nibble = 15;

    /// <summary>Packs.</summary>
    /// <param name="scale">What the row is divided into.</param>
    /// <param name="rowMs">When the row begins, UTC epoch milliseconds.</param>
    /// <param name="rollups">By slot, each within its slot.</param>
    public static byte[] Write(RollupScale scale, long rowMs, IReadOnlyDictionary<int, ProbeRollup> rollups)
    {
        var bytes = new VarIntWriter();
        bytes.Byte(Version);
        foreach ((int slot, ProbeRollup rollup) in rollups.OrderBy(r => r.Key))
        {
            Write(bytes, scale, slot, rowMs + slot * scale.SlotMs, rollup);
        }

        return bytes.ToArray();
    }

    /// <summary>The row with this rollup in its slot, in place of what was there. What cannot be read is replaced.</summary>
    public static byte[] With(RollupScale scale, long rowMs, ReadOnlySpan<byte> row, int slot, ProbeRollup rollup)
    {
        // Almost always it comes behind all the others.
        if (!row.IsEmpty && row[0] == Version && LastSlot(scale, rowMs, row) is { } last && last < slot)
        {
            var bytes = new VarIntWriter();
            bytes.Bytes(row);
            Write(bytes, scale, slot, rowMs + slot * scale.SlotMs, rollup);
            return bytes.ToArray();
        }

        SortedDictionary<int, ProbeRollup> all = TryRead(scale, rowMs, row) ?? [];
        all[slot] = rollup;
        return Write(scale, rowMs, all);
    }

    /// <summary>Unpacks; null when these bytes are none that were packed.</summary>
    public static SortedDictionary<int, ProbeRollup>? TryRead(RollupScale scale, long rowMs, ReadOnlySpan<byte> bytes)
    {
        var reader = new VarIntReader(bytes);
        if (reader.Byte() != Version)
        {
            return null;
        }

        var rollups = new SortedDictionary<int, ProbeRollup>();
        int last = -1;
        while (!reader.AtEnd)
        {
            if (Read(ref reader, scale, rowMs, last, withRoundTrips: true) is not { } found)
            {
                return null;
            }

            rollups.Add(found.Slot, found.Rollup);
            last = found.Slot;
        }

        return reader.Failed ? null : rollups;
    }

    private static int? LastSlot(RollupScale scale, long rowMs, ReadOnlySpan<byte> row)
    {
        var reader = new VarIntReader(row[1..]);
        int last = -1;
        while (!reader.AtEnd)
        {
            if (Read(ref reader, scale, rowMs, last, withRoundTrips: false) is not { } found)
            {
                return null;
            }

            last = found.Slot;
        }

        return reader.Failed ? null : last;
    }

    private static void Write(VarIntWriter bytes, RollupScale scale, int slot, long slotMs, ProbeRollup rollup)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slot, scale.Slots);
        bytes.Byte((byte)slot);
        bytes.Byte((byte)((rollup.BeginsSilent ? BeginsSilent : 0) | (rollup.EndsSilent ? EndsSilent : 0) | (rollup.AllSilent ? AllSilent : 0)
            | (rollup.Lost > 0 ? SomeLost : 0) | (rollup.Answered > 0 ? SomeAnswered : 0)));
        bytes.Unsigned(rollup.Sent);
        if (rollup.Lost > 0)
        {
            bytes.Unsigned(rollup.Lost);
        }

        bytes.Unsigned(rollup.FirstMs - slotMs);
        bytes.Unsigned(slotMs + scale.SlotMs - 1 - rollup.LastMs);
        if (rollup.Lost > 0)
        {
            bytes.Unsigned(rollup.HeadMs);
            bytes.Unsigned(rollup.TailMs);
            bytes.Unsigned(rollup.LongestMs);
        }

        if (rollup.Answered > 0)
        {
            bytes.Unsigned(rollup.MinUs);
            bytes.Unsigned(rollup.MaxUs - rollup.MinUs);
            bytes.Unsigned(rollup.SumUs - rollup.MinUs * rollup.Answered);
            Write(bytes, rollup.RoundTrips);
        }
    }

    private static void Write(VarIntWriter bytes, RoundTripSketch sketch)
    {
        int next = sketch.Filled[0].Index;
        bytes.Unsigned(next);
        foreach ((int index, int count) in sketch.Filled)
        {
            int left = index - next;
            int more = count - 1;
            bytes.Byte((byte)((Math.Min(left, Nibble) << 4) | Math.Min(more, Nibble)));
            if (left >= Nibble)
            {
                bytes.Unsigned(left - Nibble);
            }

            if (more >= Nibble)
            {
                bytes.Unsigned(more - Nibble);
            }

            next = index + 1;
        }
    }

    private static (int Slot, ProbeRollup Rollup)? Read(ref VarIntReader reader, RollupScale scale, long rowMs, int last, bool withRoundTrips)
    {
        int slot = reader.Byte();
        byte flags = reader.Byte();
        if (slot <= last || slot >= scale.Slots || (flags & ~AllFlags) != 0)
        {
            return null;
        }

        long slotMs = rowMs + slot * scale.SlotMs;
        int sent = (int)reader.Unsigned(int.MaxValue);
        int lost = (flags & SomeLost) != 0 ? (int)reader.Unsigned(sent) : 0;
        long first = slotMs + reader.Unsigned(scale.SlotMs - 1);
        long end = slotMs + scale.SlotMs - 1 - reader.Unsigned(scale.SlotMs - 1);
        (long head, long tail, long longest) = (flags & SomeLost) != 0 ? (reader.Unsigned(scale.SlotMs), reader.Unsigned(scale.SlotMs), reader.Unsigned(scale.SlotMs)) : (0, 0, 0);
        int answered = sent - lost;
        (long min, long max, long sum) = (0, 0, 0);
        RoundTripSketch? sketch = RoundTripSketch.Empty;
        if ((flags & SomeAnswered) != 0)
        {
            min = reader.Unsigned(ProbeRollup.LongestUs);
            max = min + reader.Unsigned(ProbeRollup.LongestUs);
            sum = min * answered + reader.Unsigned(long.MaxValue >> 2);
            sketch = ReadSketch(ref reader, answered, withRoundTrips);
        }

        bool makesSense = !reader.Failed && sketch is not null && sent > 0 && first <= end && (answered > 0) == ((flags & SomeAnswered) != 0) && (lost > 0) == ((flags & SomeLost) != 0);
        return !makesSense ? null : (slot, new ProbeRollup
        {
            Sent = sent,
            Lost = lost,
            FirstMs = first,
            LastMs = end,
            BeginsSilent = (flags & BeginsSilent) != 0,
            EndsSilent = (flags & EndsSilent) != 0,
            AllSilent = (flags & AllSilent) != 0,
            HeadMs = head,
            TailMs = tail,
            LongestMs = longest,
            MinUs = min,
            MaxUs = max,
            SumUs = sum,
            RoundTrips = sketch!,
        });
    }

    private static RoundTripSketch? ReadSketch(ref VarIntReader reader, int answered, bool keep)
    {
        var filled = ImmutableArray.CreateBuilder<RoundTripBucket>();
        int next = (int)reader.Unsigned(RoundTripSketch.Buckets - 1);
        for (int left = answered; left > 0 && !reader.Failed;)
        {
            byte both = reader.Byte();
            int before = both >> 4;
            before += before == Nibble ? (int)reader.Unsigned(RoundTripSketch.Buckets) : 0;
            int count = (both & Nibble) + 1;
            count += count == Nibble + 1 ? (int)reader.Unsigned(answered) : 0;
            if (count > left || next + before >= RoundTripSketch.Buckets)
            {
                return null;
            }

            left -= count;
            next += before + 1;
            if (keep)
            {
                filled.Add(new RoundTripBucket(next - 1, count));
            }
        }

        return reader.Failed ? null : RoundTripSketch.TryCreate(filled.ToImmutable());
    }
}
