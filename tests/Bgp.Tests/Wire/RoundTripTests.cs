using System.Collections.Immutable;
using CsCheck;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;
using FailoverHub.Fuzz;

namespace FailoverHub.Bgp.Tests.Wire;

public sealed class RoundTripTests
{
    private static readonly UpdateContext TwoOctets = Codec.TwoOctets with { InternalPeer = true };

    [Fact]
    public void AnyMessage_WrittenAndRead_IsTheSame() =>
        Generators.Message.Sample(message => Assert.Equal(MessageText.Of(message), MessageText.Of(Codec.Decode(Codec.Encode(message)))), iter: 3000);

    [Fact]
    public void AnyMessage_WrittenReadAndWritten_IsTheSameBytes() =>
        Generators.Message.Sample(
            message =>
            {
                var bytes = Codec.Encode(message);
                Assert.Equal(bytes, Codec.Encode(Codec.Decode(bytes)));
            },
            iter: 3000);

    [Fact]
    public void AnyUpdate_ForANeighborOfTwoOctets_IsTheSame() =>
        Gen.Select(Generators.Update, Gen.Bool).Sample(
            (update, aggregated) =>
            {
                // As a speaker of four octets writes it: what does not fit stands in the AS4 attributes (RFC 6793 4.2.2).
                var attributes = update.Attributes with { AttributeSet = null };
                var plain = attributes.AsPath!.Value.Where(segment => segment.Type < AsPathSegmentType.ConfederationSequence).ToImmutableArray();
                var wanted = update with
                {
                    Attributes = attributes with { As4Path = plain.IsEmpty ? null : plain, As4Aggregator = aggregated ? attributes.Aggregator : null },
                };
                var bytes = Codec.Encode(wanted, TwoOctets);

                var read = Assert.IsType<UpdateMessage>(Codec.Decode(bytes, TwoOctets)).Attributes;

                Assert.Equal(attributes.AsPath!.Value.SelectMany(Small), read.AsPath!.Value.SelectMany(segment => segment.AsNumbers));
                // RFC 6793 4.2.3: an AGGREGATOR that is not AS_TRANS was put there behind a speaker of two octets, and both AS4 attributes are of no use any more.
                var overruled = aggregated && attributes.Aggregator is { As: <= ushort.MaxValue and not OpenMessage.AsTrans };
                Assert.Equal(
                    overruled || plain.IsEmpty ? null : plain.SelectMany(segment => segment.AsNumbers),
                    read.As4Path?.SelectMany(segment => segment.AsNumbers));
                Assert.Null(read.As4Aggregator);
                var again = Codec.Encode(Codec.Decode(bytes, TwoOctets), TwoOctets);
                Assert.Equal(Codec.Encode(Codec.Decode(again, TwoOctets), TwoOctets), again);
            },
            iter: 2000);

    [Fact]
    public void AnyMessage_Mutated_IsReadOrRefusedAndWrittenInOneForm() =>
        Gen.Select(Generators.Message, Gen.Select(Gen.Int[0, 4095], Gen.Byte).Array[0, 4], Gen.Byte).Sample(
            (message, changes, agreed) =>
            {
                var bytes = Codec.Encode(message).AsSpan(WireWriter.HeaderLength).ToArray();
                foreach (var (at, value) in changes.Where(_ => bytes.Length > 0))
                {
                    bytes[at % bytes.Length] = value;
                }

                // The rules of the fuzzer's target: canonical, bounded, one kind of exception.
                FuzzTarget.Run([(byte)(agreed & ~1), (byte)message.Type, .. bytes]);
            },
            iter: 5000);

    [Fact]
    public void AnyMessages_SplitAnyhow_AreTheSameMessages() =>
        Gen.Select(Generators.Message.Array[1, 5], Gen.Int[1, 60].Array[1, 40]).Sample(
            (messages, splits) =>
            {
                var stream = messages.SelectMany(message => Codec.Encode(message)).ToArray();
                var framer = new MessageFramer();
                var read = new List<string>();
                var at = 0;
                for (var i = 0; at < stream.Length; i++)
                {
                    var length = Math.Min(splits[i % splits.Length], stream.Length - at);
                    ReadOnlySpan<byte> piece = stream.AsSpan(at, length);
                    at += length;
                    while (framer.TryNext(ref piece, out var type, out var body))
                    {
                        read.Add(MessageText.Of(Codec.DecodeBody(type, body, Codec.Internal).Message));
                    }
                }

                Assert.Equal(messages.Select(MessageText.Of), read);
            },
            iter: 1000);

    private static IEnumerable<uint> Small(AsPathSegment segment) => segment.AsNumbers.Select(number => number > ushort.MaxValue ? OpenMessage.AsTrans : number);
}
