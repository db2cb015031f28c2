using System.Collections.Concurrent;
using System.Collections.Immutable;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Agents.Limits;

/// <summary>
/// How fast the journal of one node goes into the history. Counted are entries, not batches, and by node, not by stream: dialling again brings nothing. A whole
/// journal of an agent that returns after days goes in at once, of one with 10,000 prefixes all that it was told in five steps (an entry for each prefix); whoever goes on
/// like that is stored at a pace that no honest node needs and that fills no disk. Entries that become audit entries, which are never removed, have a smaller allowance of their own. Nothing is refused and nothing is lost:
/// what is not stored yet is not acknowledged yet, and stays on the node.
/// </summary>
internal sealed class JournalPace(TimeProvider time)
{
    /// <summary>Entries at once, after a silence.</summary>
    public const int Burst = 52_000;

    /// <summary>Then so many a second.</summary>
    public const double PerSecond = 1;

    /// <summary>Entries that somebody has made by commands on the node, at once.</summary>
    public const int LocalBurst = 1_000;

    /// <summary>Then so many of them a second.</summary>
    public const double LocalPerSecond = 0.2;

    /// <summary>Entries that are waited for together: a transaction for each would be the smaller part of the work.</summary>
    public const int Piece = 50;

    /// <summary>It is told once in so long.</summary>
    public static readonly TimeSpan ToldEvery = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private double _left = Burst;
    private double _localLeft = LocalBurst;
    private long _at = time.GetTimestamp();
    private long? _toldAt;

    /// <summary>Nothing is remembered that a new one would not have.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate)
            {
                Fill();
                return _left >= Burst && _localLeft >= LocalBurst && (_toldAt is not { } told || time.GetElapsedTime(told) >= ToldEvery);
            }
        }
    }

    /// <summary>Takes as many of these, from the first on, as may be stored now.</summary>
    /// <param name="items">At least one.</param>
    /// <param name="wait">How long until the next piece may be; zero when something was taken.</param>
    /// <returns>How many; 0: ask again after the wait.</returns>
    public int Take(ImmutableArray<JournalItem> items, out TimeSpan wait)
    {
        lock (_gate)
        {
            Fill();
            int piece = Math.Min(items.Length, Piece);
            int most = 0;
            int local = 0;
            int localOfPiece = 0;
            for (int i = 0; i < items.Length; i++)
            {
                bool isLocal = items[i].Audit is not null;
                localOfPiece += isLocal && i < piece ? 1 : 0;
                if (most == i && most + 1 <= _left && local + (isLocal ? 1 : 0) <= _localLeft)
                {
                    most++;
                    local += isLocal ? 1 : 0;
                }
                else if (i >= piece)
                {
                    break;
                }
            }

            if (most < piece)
            {
                wait = TimeSpan.FromSeconds(Math.Max(1, Math.Max((piece - _left) / PerSecond, (localOfPiece - _localLeft) / LocalPerSecond)));
                return 0;
            }

            _left -= most;
            _localLeft -= local;
            wait = TimeSpan.Zero;
            return most;
        }
    }

    /// <summary>That it has to wait is to be told now.</summary>
    public bool IsNews()
    {
        lock (_gate)
        {
            if (_toldAt is { } told && time.GetElapsedTime(told) < ToldEvery)
            {
                return false;
            }

            _toldAt = time.GetTimestamp();
            return true;
        }
    }

    private void Fill()
    {
        double seconds = time.GetElapsedTime(_at).TotalSeconds;
        _at = time.GetTimestamp();
        _left = Math.Min(Burst, _left + (seconds * PerSecond));
        _localLeft = Math.Min(LocalBurst, _localLeft + (seconds * LocalPerSecond));
    }
}

/// <summary>The pace of each node, by its id (without TLS by its name), as long as there is something to remember.</summary>
internal sealed class JournalPaces(TimeProvider time)
{
    private const int LookedThroughAt = 10_000;

    private readonly ConcurrentDictionary<string, JournalPace> _byNode = new(StringComparer.OrdinalIgnoreCase);

    public JournalPace Of(string node)
    {
        if (_byNode.Count >= LookedThroughAt)
        {
            foreach (var (name, pace) in _byNode.Where(p => p.Value.IsFull))
            {
                _byNode.TryRemove(KeyValuePair.Create(name, pace));
            }
        }

        return _byNode.GetOrAdd(node, _ => new JournalPace(time));
    }
}
