using System.Buffers.Binary;
using System.Net;
using CsCheck;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Session;
using FailoverHub.Bgp.Tests.Wire;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Routes;

// Batches are written without an UpdateMessage for each message of them. Here they are measured, and held against the codec that writes an UpdateMessage.
public sealed class PackingTests
{
    private const uint LargeAs = 4_200_000_001;

    [Theory]
    [InlineData(4096, false)]
    [InlineData(4096, true)]
    [InlineData(65535, false)]
    [InlineData(65535, true)]
    public void Batches_FillEveryMessageButTheLastToTheBrim(int longest, bool classic)
    {
        var all = Enumerable.Range(0, 40_000).Select(i => Announcements.Ipv4(prefix: $"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}/32")).ToArray();
        var neighbor = Neighbor(extended: longest > 4096, classic ? "192.0.2.9" : "2001:db8::9");

        foreach (var wanted in (Advertisement[][])[all, []])
        {
            neighbor.Announce(wanted);

            var bytes = Assert.Single(neighbor.Effects.OfType<SessionEffect.Send>()).Bytes;
            var lengths = Lengths(bytes.Span);
            Assert.True(lengths.Count > 1);
            // A prefix takes five octets, and there was no room for one more.
            Assert.All(lengths.SkipLast(1), length => Assert.InRange(length, longest - 4, longest));
            Assert.InRange(lengths[^1], 23, longest);
            var updates = Codec.DecodeAll(bytes.Span, Codec.Extended).Select(decoded => Assert.IsType<UpdateMessage>(decoded.Message)).ToList();
            var carried = updates.SelectMany(update => update.Announced.AddRange(update.Withdrawn)
                .AddRange(update.Attributes.MpReach?.Prefixes ?? []).AddRange(update.Attributes.MpUnreach?.Prefixes ?? []));
            Assert.Equal(all.Select(one => one.Prefix), carried);
            Assert.Equal(classic, updates.TrueForAll(update => update.Attributes.MpReach is null && update.Attributes.MpUnreach is null));
        }
    }

    [Theory]
    [InlineData(4096, false)]
    [InlineData(4096, true)]
    [InlineData(65535, false)]
    [InlineData(65535, true)]
    public void PrefixesThatFitToTheOctet_AreOneMessage_AndOneOctetMoreIsTwo(int longest, bool classic)
    {
        var (least, other) = (Count(10), Count(11));
        Assert.Equal(5, other.Octets - least.Octets);
        // Prefixes of five octets, and of four where that makes it come out even.
        var room = longest - least.Octets + 50;
        var fours = (5 - (room % 5)) % 5;
        Assert.Equal([longest], Announced(((room - (4 * fours)) / 5, fours)));
        Assert.Equal(2, Announced(((room - (4 * fours)) / 5, fours + 1)).Count);

        (int Octets, int Messages) Count(int fives)
        {
            var lengths = Announced((fives, 0));
            return (lengths.Sum(), lengths.Count);
        }

        List<int> Announced((int Fives, int Fours) count)
        {
            var neighbor = Neighbor(extended: longest > 4096, classic ? "192.0.2.9" : "2001:db8::9");
            neighbor.Announce(
            [
                .. Enumerable.Range(0, count.Fives).Select(i => Announcements.Ipv4(prefix: $"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}/32")),
                .. Enumerable.Range(0, count.Fours).Select(i => Announcements.Ipv4(prefix: $"172.16.{i}.0/24")),
            ]);
            return Lengths(Assert.Single(neighbor.Effects.OfType<SessionEffect.Send>()).Bytes.Span);
        }
    }

    private static readonly Gen<Advertisement> AnyRoute = Gen.Select(Gen.Bool, Gen.Int[0, 65535], Gen.Int[16, 32], Gen.Int[0, 3], Gen.Int[0, 1]).Select(one =>
    {
        var (six, number, length, role, large) = one;
        var address = six ? $"2001:db8:{number:x}::" : $"10.{number >> 8}.{number & 255}.0";
        return new Advertisement
        {
            Prefix = six ? new IPNetwork(IPAddress.Parse(address), length + 32) : new IPNetwork(IPAddress.Parse(address), Math.Max(length, 24)),
            Communities = [.. Enumerable.Range(0, role * 30).Select(i => new Community(65000, (ushort)i))],
            LargeCommunities = large == 0 ? [] : [new LargeCommunity(64500, 1, 2)],
        };
    });

    [Theory]
    [InlineData("2001:db8::9", true)]
    [InlineData("2001:db8::9", false)]
    [InlineData("192.0.2.9", true)]
    [InlineData("192.0.2.9", false)]
    public void AnyBatch_IsToTheOctetWhatTheCodecWritesOfItsMessages(string local, bool fourOctets)
    {
        var context = fourOctets ? Codec.FourOctets : Codec.TwoOctets;
        Gen.Select(AnyRoute.Array[0, 1500], AnyRoute.Array[0, 1500]).Sample(
            (first, second) =>
            {
                var neighbor = Neighbor(extended: false, local, fourOctets);
                foreach (var routes in (Advertisement[][])[first, second, []])
                {
                    neighbor.Announce(routes);
                    foreach (var send in neighbor.Effects.OfType<SessionEffect.Send>())
                    {
                        var writer = new WireWriter();
                        foreach (var (message, fault) in Codec.DecodeAll(send.Bytes.Span, context))
                        {
                            Assert.Equal(AttributeFault.None, fault);
                            UpdateCodec.Write(writer, Assert.IsType<UpdateMessage>(message), context);
                        }

                        Assert.Equal(Convert.ToHexString(writer.Finish().Span), Convert.ToHexString(send.Bytes.Span));
                    }
                }
            },
            iter: 30);
    }

    private static ScriptedNeighbor Neighbor(bool extended, string local, bool fourOctets = true)
    {
        var options = SessionPair.AgentOptions with { LocalAs = LargeAs, ExtendedMessages = extended };
        var capabilities = ScriptedNeighbor.Open.Capabilities.Where(one => fourOctets || one is not Capability.FourOctetAs);
        return new ScriptedNeighbor(options) { Local = IPAddress.Parse(local) }
            .InEstablished(ScriptedNeighbor.Open with { Capabilities = [.. capabilities, .. extended ? [Capability.ExtendedMessage.Instance] : Array.Empty<Capability>()] });
    }

    private static List<int> Lengths(ReadOnlySpan<byte> messages)
    {
        var lengths = new List<int>();
        while (!messages.IsEmpty)
        {
            lengths.Add(BinaryPrimitives.ReadUInt16BigEndian(messages[16..]));
            messages = messages[lengths[^1]..];
        }

        return lengths;
    }
}
