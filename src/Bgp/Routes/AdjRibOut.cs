using System.Buffers;
using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Bgp.Routes;

// What the neighbor should have from us and what it has. Callers say the first; the difference is found here and becomes UPDATEs. A prefix whose attributes
// change (its role: another community) is announced again and not withdrawn, so that it is never gone: an announcement replaces the one before (RFC 4271 3.1).
internal sealed class AdjRibOut
{
    // So that the attributes always leave room for prefixes in a message of 4096 octets. A route has two or three communities.
    public const int MaxCommunities = 255;
    public const int MaxLargeCommunities = 128;

    private static readonly Dictionary<IPNetwork, Advertisement> Nothing = [];

    // Neither is ever changed, only replaced; when all that is wanted was sent, they are the same one.
    private Dictionary<IPNetwork, Advertisement> _sent = Nothing;
    private Dictionary<IPNetwork, Advertisement> _desired = Nothing;
    private AdvertisingContext? _context;

    // Prefixes that the neighbor has from us now.
    public int Count => _sent.Count;

    // What the neighbor should have and cannot get while this session lasts; empty when no session is up.
    public ImmutableArray<SkippedPrefix> Skipped
    {
        get
        {
            if (_context is not { } context || CanSendAll(context))
            {
                return [];
            }

            var skipped = ImmutableArray.CreateBuilder<SkippedPrefix>();
            foreach (var wanted in _desired.Values)
            {
                if (context.WhyNot(wanted.Family) is { } reason)
                {
                    skipped.Add(new SkippedPrefix(wanted.Prefix, reason));
                }
            }

            return skipped.DrainToImmutable();
        }
    }

    public void SetDesired(ImmutableArray<Advertisement> all)
    {
        var desired = new Dictionary<IPNetwork, Advertisement>(all.Length);
        foreach (var advertisement in all)
        {
            if (advertisement.Communities.Length > MaxCommunities)
            {
                throw new ArgumentException($"{advertisement.Prefix} has {advertisement.Communities.Length} communities; more than {MaxCommunities} are not sent.", nameof(all));
            }

            if (advertisement.LargeCommunities.Length > MaxLargeCommunities)
            {
                throw new ArgumentException(
                    $"{advertisement.Prefix} has {advertisement.LargeCommunities.Length} large communities; more than {MaxLargeCommunities} are not sent.", nameof(all));
            }

            desired[advertisement.Prefix] = advertisement;
        }

        _desired = desired;
    }

    // The session is up and the neighbor has nothing from us.
    public void Open(AdvertisingContext context) => _context = context;

    // The session is gone and with it what the neighbor had.
    public void Close()
    {
        _context = null;
        _sent = Nothing;
    }

    // The UPDATEs that bring the neighbor from what it has to what it should have, in one buffer; empty when it has it already or no session is up.
    public ReadOnlyMemory<byte> WriteChanges()
    {
        if (_context is not { } context || ReferenceEquals(_sent, _desired))
        {
            return default;
        }

        var wanted = CanSendAll(context) ? _desired : Sendable(context);
        var gone = ArrayPool<IPNetwork>.Shared.Rent(_sent.Count);
        var changed = ArrayPool<Advertisement>.Shared.Rent(wanted.Count);
        var batch = new UpdateBatch(context);
        batch.Withdraw(Gone(wanted, gone));
        batch.Announce(Changed(wanted, changed));
        ArrayPool<IPNetwork>.Shared.Return(gone, clearArray: true);
        ArrayPool<Advertisement>.Shared.Return(changed, clearArray: true);
        _sent = wanted;
        return batch.Finish();
    }

    // Everything that the neighbor has is taken back; what it should have is kept for the next session.
    public ReadOnlyMemory<byte> WriteWithdrawAll()
    {
        if (_context is not { } context || _sent.Count == 0)
        {
            return default;
        }

        var batch = new UpdateBatch(context);
        batch.Withdraw([.. _sent.Keys]);
        _sent = Nothing;
        return batch.Finish();
    }

    // The answer to ROUTE-REFRESH (RFC 2918 4).
    public ReadOnlyMemory<byte> WriteAgain(RouteFamily family)
    {
        if (_context is not { } context)
        {
            return default;
        }

        var again = new List<Advertisement>(_sent.Count);
        foreach (var advertisement in _sent.Values)
        {
            if (advertisement.Family == family)
            {
                again.Add(advertisement);
            }
        }

        var batch = new UpdateBatch(context);
        batch.Announce([.. again]);
        return batch.Finish();
    }

    private static bool CanSendAll(AdvertisingContext context) => context.CanSend(RouteFamily.Ipv4Unicast) && context.CanSend(RouteFamily.Ipv6Unicast);

    private Dictionary<IPNetwork, Advertisement> Sendable(AdvertisingContext context) =>
        _desired.Where(entry => context.CanSend(entry.Value.Family)).ToDictionary();

    private ReadOnlySpan<Advertisement> Changed(Dictionary<IPNetwork, Advertisement> wanted, Advertisement[] into)
    {
        var count = 0;
        foreach (var (prefix, advertisement) in wanted)
        {
            if (!_sent.TryGetValue(prefix, out var has) || !has.HasAttributesOf(advertisement))
            {
                into[count++] = advertisement;
            }
        }

        return into.AsSpan(0, count);
    }

    private ReadOnlySpan<IPNetwork> Gone(Dictionary<IPNetwork, Advertisement> wanted, IPNetwork[] into)
    {
        var count = 0;
        foreach (var prefix in _sent.Keys)
        {
            if (!wanted.ContainsKey(prefix))
            {
                into[count++] = prefix;
            }
        }

        return into.AsSpan(0, count);
    }
}
