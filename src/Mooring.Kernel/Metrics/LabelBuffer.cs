namespace Mooring.Kernel.Metrics;

/// <summary>Text built on the stack; only labels longer than its first buffer cost an allocation.</summary>
/// <param name="buffer">The first buffer.</param>
internal ref struct LabelBuffer(Span<char> buffer)
{
    private Span<char> _buffer = buffer;
    private int _length;

    public readonly ReadOnlySpan<char> Written => _buffer[.._length];

    public void Append(ReadOnlySpan<char> text)
    {
        if (_length + text.Length > _buffer.Length)
        {
            var larger = new char[Math.Max(_buffer.Length * 2, _length + text.Length)];
            Written.CopyTo(larger);
            _buffer = larger;
        }
        text.CopyTo(_buffer[_length..]);
        _length += text.Length;
    }
}
