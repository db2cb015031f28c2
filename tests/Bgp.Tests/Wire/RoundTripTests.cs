using CsCheck;

namespace FailoverHub.Bgp.Tests.Wire;

public sealed class RoundTripTests
{
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
    public void AnyMessages_SplitAnyhow_AreTheSameMessages() =>
        Gen.Select(Generators.Message.Array[1, 5], Gen.Int[1, 60].Array[1, 40]).Sample(
            (messages, splits) =>
            {
                var stream = messages.SelectMany(message => Codec.Encode(message)).ToArray();
                var framer = new Bgp.Wire.MessageFramer();
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
}
