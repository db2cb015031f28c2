using System.Collections.Immutable;

namespace FailoverHub.Web.Reachability.Storage;

/// <summary>
/// How many round trips fell into which of fixed, logarithmic buckets: percentiles within <see cref="RelativeError"/> of the exact one, from any number of
/// sketches put together. Bucket 0 is up to 1 µs, bucket i from γ^(i-1) to γ^i µs, γ = (1 + error) / (1 - error); the last one has everything longer than
/// a minute too. (Masson, Rim, Lee: "DDSketch", VLDB 2019, with a fixed range in place of collapsing.)
/// </summary>
internal sealed class RoundTripSketch : IEquatable<RoundTripSketch>
{
    /// <summary>A percentile is at most so much above or below the exact one, as a part of it, up to one minute.</summary>
    public const double RelativeError = 0.02;

    /// <summary>Buckets that there are: the bound of a sketch's size.</summary>
    public const int Buckets = 449;

    private const double Gamma = (1 + RelativeError) / (1 - RelativeError);
    private static readonly double LogGamma = Math.Log(Gamma);

    /// <summary>Of nothing.</summary>
    public static RoundTripSketch Empty { get; } = new([]);

    private RoundTripSketch(ImmutableArray<RoundTripBucket> filled) => Filled = filled;

    /// <summary>The buckets with something in them, shortest round trips first.</summary>
    public ImmutableArray<RoundTripBucket> Filled { get; }

    /// <summary>Round trips in it.</summary>
    public long Count => Filled.Sum(b => (long)b.Count);

    /// <summary>The bucket of a round trip.</summary>
    /// <param name="microseconds">0 and up.</param>
    public static int BucketOf(long microseconds) => microseconds <= 1 ? 0 : Math.Min(Buckets - 1, (int)Math.Ceiling(Math.Log(microseconds) / LogGamma));

    /// <summary>Of these round trips, in microseconds and in any order.</summary>
    public static RoundTripSketch Of(IEnumerable<long> microseconds)
    {
        var builder = new RoundTripSketchBuilder();
        foreach (long value in microseconds)
        {
            builder.Add(value);
        }

        return builder.ToSketch();
    }

    /// <summary>What was read or counted; null when it is no sketch: buckets out of order or out of range, or empty ones.</summary>
    public static RoundTripSketch? TryCreate(ImmutableArray<RoundTripBucket> filled)
    {
        int last = -1;
        foreach (RoundTripBucket bucket in filled)
        {
            if (bucket.Index <= last || bucket.Index >= Buckets || bucket.Count < 1)
            {
                return null;
            }

            last = bucket.Index;
        }

        return filled.IsEmpty ? Empty : new RoundTripSketch(filled);
    }

    /// <summary>Of the round trips of both.</summary>
    public RoundTripSketch With(RoundTripSketch other)
    {
        var builder = new RoundTripSketchBuilder();
        builder.Add(this);
        builder.Add(other);
        return builder.ToSketch();
    }

    /// <summary>The round trip that a part of all are not longer than (nearest rank), in microseconds; null: there are none.</summary>
    /// <param name="part">More than 0, up to 1: 0.95 is the 95th percentile.</param>
    public double? Percentile(double part)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(part);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(part, 1);
        long rank = (long)Math.Ceiling(part * Count);
        foreach (RoundTripBucket bucket in Filled)
        {
            rank -= bucket.Count;
            if (rank <= 0)
            {
                return bucket.Index == 0 ? 1 : 2 * Math.Pow(Gamma, bucket.Index) / (Gamma + 1);
            }
        }

        return null;
    }

    public bool Equals(RoundTripSketch? other) => other is not null && Filled.AsSpan().SequenceEqual(other.Filled.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as RoundTripSketch);

    public override int GetHashCode() => Filled.Aggregate(Filled.Length, HashCode.Combine);
}

/// <summary>One bucket.</summary>
/// <param name="Index">0 to <see cref="RoundTripSketch.Buckets"/> - 1.</param>
/// <param name="Count">Round trips in it, 1 and up.</param>
internal readonly record struct RoundTripBucket(int Index, int Count);

/// <summary>Counts round trips, and sketches of them, into one sketch.</summary>
internal sealed class RoundTripSketchBuilder
{
    private readonly int[] _counts = new int[RoundTripSketch.Buckets];
    private int _first = RoundTripSketch.Buckets;
    private int _last = -1;

    /// <summary>One round trip, in microseconds.</summary>
    public void Add(long microseconds) => Add(RoundTripSketch.BucketOf(microseconds), 1);

    /// <summary>All of another sketch.</summary>
    public void Add(RoundTripSketch sketch)
    {
        foreach (RoundTripBucket bucket in sketch.Filled)
        {
            Add(bucket.Index, bucket.Count);
        }
    }

    /// <summary>What has been counted so far.</summary>
    public RoundTripSketch ToSketch()
    {
        var filled = ImmutableArray.CreateBuilder<RoundTripBucket>();
        for (int i = _first; i <= _last; i++)
        {
            if (_counts[i] > 0)
            {
                filled.Add(new RoundTripBucket(i, _counts[i]));
            }
        }

        return RoundTripSketch.TryCreate(filled.ToImmutable()) ?? RoundTripSketch.Empty;
    }

    /// <summary>Forgets everything, to be used again.</summary>
    public void Clear()
    {
        if (_last >= 0)
        {
            Array.Clear(_counts, _first, _last - _first + 1);
        }

        (_first, _last) = (RoundTripSketch.Buckets, -1);
    }

    private void Add(int bucket, int count)
    {
        _counts[bucket] += count;
        _first = Math.Min(_first, bucket);
        _last = Math.Max(_last, bucket);
    }
}
