using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using FailoverHub.Bench.Report;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bench.Rows;

/// <summary>
/// Time and allocation of our codec alone. An own loop: it needs seconds and no packages, counts allocated bytes exactly, and what it has to tell apart are
/// factors. Each figure is the median of blocks that last 20 ms, behind a warm-up that lets the runtime finish its code.
/// </summary>
internal static class Codec
{
    private const int Blocks = 25;
    private static readonly TimeSpan _block = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _warmUp = TimeSpan.FromMilliseconds(400);

    public static void Measure(Run run)
    {
        var one = Make(1, Community(1));
        var thousand = Make(1_000, Community(1));
        var context = NewContext();
        var oneOnWire = Encode(context, one);
        var thousandOnWire = Encode(context, thousand);
        var keepalive = MessageCodec.Keepalive;
        var framer = new MessageFramer();
        var primary = Make(Prefixes.Most, Community(1));
        var secondary = Make(Prefixes.Most, Community(2));
        var rib = new AdjRibOut();
        rib.Open(context);
        var flip = false;

        List<Row> rows =
        [
            .. Measured("keepalive.decode", "decode KEEPALIVE", () => Decode(framer, keepalive, context)),
            .. Measured("update1.encode", "encode an UPDATE of 1 prefix", () => Encode(context, one).Length),
            .. Measured("update1.decode", "decode it", () => Decode(framer, oneOnWire, context)),
            .. Measured("update1000.encode", "encode UPDATEs of 1,000 prefixes", () => Encode(context, thousand).Length),
            .. Measured("update1000.decode", "decode them", () => Decode(framer, thousandOnWire, context)),
            .. Measured("rib10000.change", "AdjRibOut: role of 10,000 prefixes changes", () =>
            {
                flip = !flip;
                rib.SetDesired(flip ? secondary : primary);
                return rib.WriteChanges().Length;
            }),
        ];
        run.Results.Add("Codec (in the bench, JIT)", [.. rows]);
        run.Results.Note("Encoding a KEEPALIVE is no row: all sessions send one array that is made once. The others have no equal of these rows.");
        run.Progress("codec");
    }

    private static Row[] Measured(string key, string title, Func<int> act)
    {
        Row time = new($"codec.{key}.time", title, "µs");
        Row allocated = new($"codec.{key}.allocated", $"{title}, allocated", "bytes");
        var sum = 0L;
        for (var from = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(from) < _warmUp;)
        {
            sum += act();
        }

        for (var block = 0; block < Blocks; block++)
        {
            var runs = 0;
            var bytes = GC.GetAllocatedBytesForCurrentThread();
            var from = Stopwatch.GetTimestamp();
            TimeSpan took;
            do
            {
                sum += act();
                runs++;
                took = Stopwatch.GetElapsedTime(from);
            }
            while (took < _block);
            time.Add("FailoverHub JIT", took.TotalMicroseconds / runs);
            allocated.Add("FailoverHub JIT", (GC.GetAllocatedBytesForCurrentThread() - bytes) / (double)runs);
        }

        return sum == 0 ? throw new InvalidOperationException($"{title} did nothing.") : [time, allocated];
    }

    private static int Decode(MessageFramer framer, ReadOnlyMemory<byte> bytes, AdvertisingContext context)
    {
        var input = bytes.Span;
        var found = 0;
        while (framer.TryNext(ref input, out var type, out var body))
        {
            found += type == BgpMessageType.Update ? UpdateCodec.Read(body, context.Wire).Message.Attributes.MpReach!.Prefixes.Length : 1;
        }

        return found;
    }

    private static ReadOnlyMemory<byte> Encode(AdvertisingContext context, ImmutableArray<Advertisement> advertisements)
    {
        var batch = new UpdateBatch(context);
        batch.Announce(advertisements.AsSpan());
        return batch.Finish();
    }

    private static Community Community(ushort role) => new(65000, role);

    private static ImmutableArray<Advertisement> Make(int count, Community role) =>
        [.. Prefixes.Texts(count).Select(text => new Advertisement { Prefix = IPNetwork.Parse(text), Communities = [role] })];

    private static AdvertisingContext NewContext() => new(
        new SessionOptions { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(0x0a00_0001) },
        new NegotiatedParameters
        {
            PeerRouterId = new RouterId(0x0a00_0002),
            PeerAs = 65000,
            HoldTime = new HoldTime(9),
            FourOctetAs = true,
            Families = [RouteFamily.Ipv4Unicast, RouteFamily.Ipv6Unicast],
            Ipv4WithIpv6NextHop = false,
            RouteRefresh = true,
        },
        IPAddress.Parse("2001:db8::1"));
}
