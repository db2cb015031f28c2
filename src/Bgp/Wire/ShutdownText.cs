using System.Buffers;
using System.Globalization;
using System.Text;

namespace FailoverHub.Bgp.Wire;

// The text of Cease/Administrative Shutdown and Administrative Reset (RFC 9003 2):   length (1) | UTF-8
internal static class ShutdownText
{
    public const int MaxOctets = 255;

    private const int MostShownRaw = 64;

    // Cut at a character, so that what arrives is whole UTF-8.
    public static ReadOnlyMemory<byte> Write(string text)
    {
        if (text.Length == 0)
        {
            return default;
        }

        var data = new byte[1 + MaxOctets];
        var length = 1;
        // A lone surrogate comes out as U+FFFD: Rune never writes anything but valid UTF-8.
        foreach (var rune in text.EnumerateRunes())
        {
            if (length + rune.Utf8SequenceLength > data.Length)
            {
                break;
            }

            length += rune.EncodeToUtf8(data.AsSpan(length));
        }

        data[0] = (byte)(length - 1);
        return data.AsMemory(0, length);
    }

    // Null: there is no text. It comes from somebody else and goes to logs and terminals: what is not valid UTF-8 is shown as \xff, what could move the cursor or turn the
    // direction of writing as a space or by its number. A length that cannot be is shown with the octets (RFC 9003 4 wants the operator to see them). Any length is
    // taken: RFC 8203 allowed 128 octets, RFC 9003 allows 255.
    public static string? Read(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || data[0] == 0)
        {
            return null;
        }

        if (data[0] > data.Length - 1)
        {
            var shown = data[..Math.Min(data.Length, MostShownRaw)];
            return $"(its text is cut short: {Convert.ToHexString(shown)})";
        }

        var bytes = data.Slice(1, data[0]);
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(bytes, out var rune, out var consumed);
            if (status == OperationStatus.Done)
            {
                AppendHarmless(text, rune);
            }
            else
            {
                foreach (var octet in bytes[..consumed])
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\x{octet:x2}");
                }
            }

            bytes = bytes[consumed..];
        }

        var clean = text.ToString().Trim();
        return clean.Length == 0 ? null : clean;
    }

    private static void AppendHarmless(StringBuilder text, Rune rune)
    {
        switch (Rune.GetUnicodeCategory(rune))
        {
            case UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator:
                text.Append(' ');
                break;
            case UnicodeCategory.Format:
                text.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
                break;
            default:
                text.Append(rune.ToString());
                break;
        }
    }
}
