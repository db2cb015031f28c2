using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>
/// JSON with comments and trailing commas, as values that know their line and column. The library's own documents do not, and keep only the last
/// of two members of the same name.
/// </summary>
internal static class FileParser
{
    private const int Deepest = 16;

    /// <summary>The value, or where and why it is none. Never throws, whatever the octets are.</summary>
    public static (FileValue? Value, FilePlace At, string? Problem) Parse(ReadOnlySpan<byte> text)
    {
        if (!Utf8.IsValid(text))
        {
            return (null, new FilePlace(1, 1), "is not UTF-8; save it in that encoding.");
        }

        var lines = Lines(text);
        text = text.StartsWith("\uFEFF"u8) ? text[3..] : text;
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = Deepest });
        try
        {
            reader.Read();
            var value = Read(ref reader, lines);
            reader.Read();
            return (value, value.At, null);
        }
        catch (JsonException exception)
        {
            var at = new FilePlace((int)(exception.LineNumber ?? 0) + 1, (int)(exception.BytePositionInLine ?? 0) + 1);
            return (null, at, $"is no JSON from here on: {Words(exception)}");
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, written as an escape.
            return (null, Place(lines, reader.TokenStartIndex), "has a text here that is no Unicode; correct its escapes.");
        }
    }

    private static FileValue Read(ref Utf8JsonReader reader, ImmutableArray<int> lines)
    {
        var at = Place(lines, reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var members = ImmutableArray.CreateBuilder<FileMember>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var (name, nameAt) = (reader.GetString()!, Place(lines, reader.TokenStartIndex));
                    reader.Read();
                    members.Add(new FileMember(name, nameAt, Read(ref reader, lines)));
                }

                return new FileValue.Object(at, members.ToImmutable());
            case JsonTokenType.StartArray:
                var items = ImmutableArray.CreateBuilder<FileValue>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(Read(ref reader, lines));
                }

                return new FileValue.List(at, items.ToImmutable());
            case JsonTokenType.String:
                return new FileValue.Text(at, reader.GetString()!);
            case JsonTokenType.Number:
                return new FileValue.Number(at, System.Text.Encoding.UTF8.GetString(reader.ValueSpan));
            case JsonTokenType.True or JsonTokenType.False:
                return new FileValue.Switch(at, reader.GetBoolean());
            default:
                return new FileValue.Null(at);
        }
    }

    // Where each line begins.
    private static ImmutableArray<int> Lines(ReadOnlySpan<byte> text)
    {
        var begin = text.StartsWith("\uFEFF"u8) ? 3 : 0;
        var lines = ImmutableArray.CreateBuilder<int>();
        lines.Add(0);
        for (var index = begin; index < text.Length; index++)
        {
            if (text[index] == (byte)'\n')
            {
                lines.Add(index - begin + 1);
            }
        }

        return lines.ToImmutable();
    }

    private static FilePlace Place(ImmutableArray<int> lines, long offset)
    {
        var found = lines.BinarySearch((int)offset);
        var line = found >= 0 ? found : ~found - 1;
        return new FilePlace(line + 1, (int)offset - lines[line] + 1);
    }

    // The library ends its sentence with the place, which ours begins with.
    private static string Words(JsonException exception)
    {
        var end = exception.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? exception.Message : exception.Message[..end];
    }
}
